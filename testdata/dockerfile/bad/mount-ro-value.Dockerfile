FROM a
RUN --mount=target=/t,ro=maybe x
