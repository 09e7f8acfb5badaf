FROM a
RUN --mount=type=bind,target=/t,sharing=shared x
