FROM a
HEALTHCHECK --interval=5d CMD x
