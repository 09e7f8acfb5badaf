FROM a
HEALTHCHECK --start-intervall=1s CMD x
