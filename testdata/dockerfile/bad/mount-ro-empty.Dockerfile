FROM a
RUN --mount=target=/t,ro= x
