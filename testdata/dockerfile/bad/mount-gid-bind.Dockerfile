FROM a
RUN --mount=target=/t,gid=1 x
