# syntax=docker/dockerfile:1.7
# check=skip=JSONArgsRecommended

# PYTHON is the version of the interpreter
ARG PYTHON=3.11
ARG BASE=python:${PYTHON}-slim

FROM --platform=$BUILDPLATFORM ${BASE} AS Build
ARG PYTHON
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK="on" \

    # comments and empty lines may stand here
    PATH=/opt/venv/bin:$PATH
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=requirements.txt,target=/tmp/requirements.txt \
    python -m venv /opt/venv && \
    # the wheel cache is shared
    pip install -r /tmp/requirements.txt

FROM ${BASE}
LABEL org.opencontainers.image.title="momentum strategy" \
      org.opencontainers.image.version='1.0'
LABEL legacy a value = with spaces
COPY --from=build --chown=1000:1000 /opt/venv /opt/venv
COPY --chmod=u=rwX,go=rX --exclude=*.pyc --exclude=tests ["my app", "/app/"]
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/data.tar.gz /data/
EXPOSE 9090/udp 8080 8000-8003
VOLUME ["/data", "/var/log/app"]
USER 1000:1000
STOPSIGNAL SIGINT
HEALTHCHECK --interval=1m --timeout=5s --retries=3 CMD curl -f http://localhost/ || exit 1
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENTRYPOINT ["/opt/venv/bin/python"]
CMD python -m momentum "$HOME"
