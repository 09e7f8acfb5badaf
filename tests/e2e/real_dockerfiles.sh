#!/usr/bin/env bash
# Dockerfiles as the platform's strategies and its gateway have them, unchanged: they build, and what they make runs.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools umoci crun jq
use_base_image
use_python_image

step "a strategy as the templates have it"
context=$work/strategy
mkdir "$context"
cat >"$context/Dockerfile" <<'DOCKERFILE'
# check=skip=FromPlatformFlagConstDisallowed
FROM --platform=linux/amd64 python:3.12-slim

WORKDIR /app

COPY pyproject.toml strategy.py ./

RUN pip install --no-cache-dir .

RUN useradd --system --no-create-home appuser
USER appuser

ENV PYTHONUNBUFFERED=1

CMD ["python", "-m", "strategy"]
DOCKERFILE
cat >"$context/pyproject.toml" <<'TOML'
[build-system]
requires = ["setuptools>=61", "wheel"]
build-backend = "setuptools.build_meta"

[project]
name = "crossover"
version = "1.2.0"
dependencies = ["tabulate"]

[tool.setuptools]
py-modules = ["strategy"]
TOML
cat >"$context/strategy.py" <<'PYTHON'
import getpass
import importlib.metadata
import os

import tabulate

print(tabulate.tabulate([["crossover", importlib.metadata.version("crossover")]], tablefmt="plain"))
print(getpass.getuser(), os.getcwd(), os.environ["PYTHONUNBUFFERED"])
PYTHON
build_image "$context" strategy
expect_equal "what the strategy prints" "$(run_image strategy)" "crossover  1.2.0
appuser /app 1"
expect_equal "the user" "$(jq -r .config.User "$work/strategy.config")" appuser

step "a strategy as they had it before"
context=$work/older
mkdir -p "$context/strategies"
cat >"$context/Dockerfile" <<'DOCKERFILE'
FROM python:3.12-slim

# Compilers for packages without a wheel.
RUN echo "gcc" > /tmp/packages \
    # and what they need
    && echo "libc6-dev" >> /tmp/packages \
    && sort /tmp/packages > /installed \
    && rm -rf /tmp/packages

WORKDIR /app

COPY requirements.txt* ./
RUN if [ -f requirements.txt ]; then pip install --no-cache-dir -r requirements.txt; fi
RUN python -c "import nothing_of_that_name" 2>/dev/null || echo "goes on without" > /fallback

RUN groupadd -r trader && useradd -r -g trader trader
COPY --chown=trader:trader . .
USER trader
ENV PYTHONPATH=/app
ENTRYPOINT ["python"]
CMD ["strategies/main.py"]
DOCKERFILE
cat >"$context/strategies/main.py" <<'PYTHON'
import os
import pathlib

print(*(pathlib.Path(name).read_text().strip() for name in ("/installed", "/fallback")), sep="|")
print(pathlib.Path(__file__).owner(), pathlib.Path("/app/Dockerfile").group(), os.access("strategies", os.W_OK))
PYTHON
build_image "$context" older
expect_equal "without a requirements.txt" "$(run_image older)" "gcc
libc6-dev|goes on without
trader trader True"
printf 'tabulate\n' >"$context/requirements.txt"
printf 'import tabulate\nprint(tabulate.__name__)\n' >"$context/strategies/main.py"
build_image "$context" older-requirements
expect_equal "with a requirements.txt" "$(run_image older-requirements)" tabulate

step "six stages of which an argument chooses"
context=$work/gateway
mkdir -p "$context/src"
cat >"$context/Dockerfile" <<'DOCKERFILE'
# syntax=docker/dockerfile:1
ARG BASE=debug

FROM python:3.12-slim AS planner
WORKDIR /build
COPY src/ src/
RUN ls src > recipe

FROM planner AS dependencies
RUN pip wheel --no-cache-dir --wheel-dir /wheels tabulate

FROM planner AS builder
COPY --from=dependencies /wheels /wheels
RUN python -m zipapp src -o /gateway.pyz

FROM python:3.12-slim AS runtime-debug
ENV LEVEL=debug
RUN echo this stage is not for this target && exit 1

FROM python:3.12-slim AS runtime-slim
ENV LEVEL=info

FROM runtime-${BASE} AS final
COPY --from=builder /gateway.pyz /usr/local/bin/gateway
COPY --from=builder /wheels /wheels
RUN pip install --no-cache-dir /wheels/*.whl && useradd --system --no-create-home gateway
ENV HOST=0.0.0.0 \
    PORT=8080 \
    LOG="level=${LEVEL} \
format=json"
EXPOSE 8080 9090
USER gateway
ENTRYPOINT ["python", "/usr/local/bin/gateway"]
DOCKERFILE
cat >"$context/src/__main__.py" <<'PYTHON'
import os

import tabulate

print(tabulate.tabulate([[os.environ[name] for name in ("HOST", "PORT", "LOG")]], tablefmt="plain"))
PYTHON
build_image "$context" gateway --build-arg BASE=slim
expect_equal "what the gateway prints" "$(run_image gateway)" "0.0.0.0  8080  level=info format=json"
expect_equal "its ports" "$(jq -c '.config.ExposedPorts | keys' "$work/gateway.config")" '["8080/tcp","9090/tcp"]'
if "$tektii" build --build-context "$python_context" "$context" 2>"$work/stderr" >/dev/null; then
  fail "the default stage ends with exit 1, but it was not built"
fi
expect_contains "the default stage" "$(cat "$work/stderr")" "Dockerfile:18"

step "another base, and an entry point"
context=$work/freqtrade
mkdir -p "$context/signals"
printf 'FROM python:3.12-slim\nCOPY . /app\nRUN pip install /app\nENTRYPOINT ["signals"]\n' >"$context/Dockerfile"
cat >"$context/setup.py" <<'PYTHON'
from setuptools import setup

setup(name="signals", version="0.1", packages=["signals"], entry_points={"console_scripts": ["signals = signals:main"]})
PYTHON
printf 'def main():\n    print("signal")\n' >"$context/signals/__init__.py"
build_image "$context" freqtrade
expect_equal "what its entry point prints" "$(run_image freqtrade)" signal
