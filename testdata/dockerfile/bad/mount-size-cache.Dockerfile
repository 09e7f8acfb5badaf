FROM a
RUN --mount=type=cache,target=/t,size=1m x
