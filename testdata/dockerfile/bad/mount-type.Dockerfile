FROM a
RUN --mount=type=cahce,target=/x x
