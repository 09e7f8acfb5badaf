FROM a
RUN --mount=type=ssh,required=maybe x
