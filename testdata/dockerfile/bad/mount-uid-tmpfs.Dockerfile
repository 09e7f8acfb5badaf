FROM a
RUN --mount=type=tmpfs,target=/t,uid=1 x
