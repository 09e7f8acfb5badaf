FROM a
RUN --mount=type=secret,env=TOKEN x
