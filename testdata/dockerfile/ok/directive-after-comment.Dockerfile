# a comment
# escape=`
# check=skip=all
FROM a
RUN one \
  two
