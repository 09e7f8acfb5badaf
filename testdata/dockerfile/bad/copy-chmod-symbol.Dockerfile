FROM a
COPY --chmod=u+z a b
