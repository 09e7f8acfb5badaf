FROM a
RUN one \
  two
COPY <<f /f
kept
f
ENV A=1
USER b