FROM a
RUN --mount=type=cache,target=/t,uid=-1 x
