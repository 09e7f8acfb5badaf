FROM a
RUN --mount=type=cache,target=/t,sharing=some x
