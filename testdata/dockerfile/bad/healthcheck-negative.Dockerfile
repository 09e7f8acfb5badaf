FROM a
HEALTHCHECK --start-period=-1s CMD x
