FROM a
COPY --from=x \
  # about the owner
  --chonw=1 \
  a b
