FROM a
RUN --mount=type=bind,target=/t,required x
