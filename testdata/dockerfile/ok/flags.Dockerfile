FROM a
COPY --link a b
COPY --link=true a b
COPY --link=FALSE a b
COPY --parents --link=True a b
COPY --exclude=a --exclude=b --exclude=a a b
COPY --chown="1:1" --chmod='0644' a b
COPY --chown=a\ b a b
COPY --from= a b
COPY -- --from a
RUN -- --mount
RUN --network=none -- -x
RUN -x --network=none
RUN - --network=none
ENV -- A=1
RUN --mount=type=cache,target=/x --mount=type=tmpfs,target=/y z
RUN \
  --network=none \
  # between flags
  --security=sandbox \
  x
