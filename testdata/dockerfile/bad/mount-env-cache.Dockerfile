FROM a
RUN --mount=type=cache,target=/t,env=A x
