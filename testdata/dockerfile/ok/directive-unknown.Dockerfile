# syntax=docker/dockerfile:1
# unknown=1
# escape=`
FROM a
RUN one \
  two
