FROM a
RUN --security=none x
