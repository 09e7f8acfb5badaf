# Nothing to build on.
ARG A
RUN echo one
RUN echo two
COPY a
