FROM a
RUN --mount=type=bind,target=/t,mode=0400 x
