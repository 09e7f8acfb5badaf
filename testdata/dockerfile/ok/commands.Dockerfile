FROM a
RUN echo   "kept  as it is"
RUN ["echo", "exec"]
CMD shell $FORM
CMD ["exec", "$FORM"]
CMD
ENTRYPOINT shell form
ENTRYPOINT ["exec"]
SHELL ["/bin/ash", "-c"]
HEALTHCHECK NONE
HEALTHCHECK none
HEALTHCHECK CMD curl -f http://localhost/
HEALTHCHECK --interval=1m30s --timeout=500ms --start-period=2h --start-interval=1.5s --retries=0 cmd ["a"]
HEALTHCHECK --interval=0 --timeout= --retries= CMD a
