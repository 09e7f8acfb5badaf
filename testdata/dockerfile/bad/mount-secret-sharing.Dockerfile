FROM a
RUN --mount=type=secret,id=x,sharing=shared x
