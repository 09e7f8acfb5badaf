FROM a
RUN --mount=type=cache,target=/t,mode=0800 x
