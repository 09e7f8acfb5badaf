FROM a
RUN --mount=type=secret x
