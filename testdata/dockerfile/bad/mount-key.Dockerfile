FROM a
RUN --mount=target=/x,bogus=1 x
