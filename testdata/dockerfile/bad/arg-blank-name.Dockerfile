FROM a
ARG a =b
