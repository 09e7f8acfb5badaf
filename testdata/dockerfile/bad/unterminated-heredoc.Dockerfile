FROM a
ENV A
RUN <<EOF && \
  true
echo hello
 EOF
RNU is inside
