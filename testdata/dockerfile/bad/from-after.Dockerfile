FROM a AS x
FROM --after=x b
