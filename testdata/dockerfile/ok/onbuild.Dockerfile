FROM a
ONBUILD RUN make
ONBUILD COPY --from=other --chown=1 . /app
ONBUILD ADD https://example.com/x /x
ONBUILD ENV A=1
onbuild workdir /w
ONBUILD CMD ["a"]
ONBUILD HEALTHCHECK --retries=2 CMD x
ONBUILD EXPOSE 80
ONBUILD ARG A=1
ONBUILD RUN --mount=type=bind,from=tools,target=/t x
