FROM a
HEALTHCHECK --timeout=1us CMD x
