# syntax=a
# check=skip=all
# SYNTAX=b
FROM a
