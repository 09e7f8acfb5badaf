FROM a
RUN --mount=from=$x,target=/t x
