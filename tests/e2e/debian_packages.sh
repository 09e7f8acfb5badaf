#!/usr/bin/env bash
# RUN with package managers: apt-get from Debian's mirror, and npm ci with a lock file whose packages are in the context.
# Slow: node and npm of Debian are some hundred packages.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools umoci crun jq openssl skopeo
use_base_image
use_python_image

step "apt-get update and install"
context=$work/apt
mkdir "$context"
cat >"$context/Dockerfile" <<'DOCKERFILE'
FROM python:3.12-slim

ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        hello \
        # after a comment
        libcap2-bin \
    && rm -rf /var/lib/apt/lists/*

CMD ["sh", "-c", "hello && capsh --print | head -c 8 && ls /var/lib/apt/lists | wc -l"]
DOCKERFILE
build_image "$context" apt
expect_equal "what the installed programs print" "$(run_image apt)" "Hello, world!
Current:0"

step "npm ci"
context=$work/npm
mkdir -p "$context/vendor" "$work/package/package"
# Two packages as npm packs them; one needs the other.
pack() { # name, dependencies, source
  printf '{"name": "%s", "version": "1.0.0", "main": "index.js", "dependencies": {%s}}' "$1" "$2" >"$work/package/package/package.json"
  printf '%s\n' "$3" >"$work/package/package/index.js"
  tar -C "$work/package" --sort=name --owner=0 --group=0 --mtime=@0 -czf "$context/vendor/$1-1.0.0.tgz" package
  integrity="sha512-$(openssl dgst -sha512 -binary "$context/vendor/$1-1.0.0.tgz" | base64 -w0)"
}
pack average "" 'module.exports = (values) => values.reduce((a, b) => a + b, 0) / values.length;'
average=$integrity
# shellcheck disable=SC2016  # JavaScript's
pack report '"average": "1.0.0"' 'const average = require("average"); module.exports = (values) => `average ${average(values)}`;'
report=$integrity
printf '{"name": "app", "version": "1.0.0", "dependencies": {"report": "file:vendor/report-1.0.0.tgz", "average": "file:vendor/average-1.0.0.tgz"}}' \
  >"$context/package.json"
jq -n --arg average "$average" --arg report "$report" '{
  name: "app", version: "1.0.0", lockfileVersion: 3, requires: true,
  packages: {
    "": {name: "app", version: "1.0.0", dependencies: {average: "file:vendor/average-1.0.0.tgz", report: "file:vendor/report-1.0.0.tgz"}},
    "node_modules/average": {version: "1.0.0", resolved: "file:vendor/average-1.0.0.tgz", integrity: $average},
    "node_modules/report": {version: "1.0.0", resolved: "file:vendor/report-1.0.0.tgz", integrity: $report, dependencies: {average: "1.0.0"}}
  }}' >"$context/package-lock.json"
printf 'console.log(require("report")([1, 2, 6]), process.env.NODE_ENV);\n' >"$context/index.js"
printf 'node_modules\n' >"$context/.dockerignore"
mkdir "$context/node_modules"
echo "of the host" >"$context/node_modules/left-over"
cat >"$context/Dockerfile" <<'DOCKERFILE'
FROM python:3.12-slim AS node
RUN apt-get update && apt-get install -y --no-install-recommends nodejs && rm -rf /var/lib/apt/lists/*

FROM node AS dependencies
RUN apt-get update && apt-get install -y --no-install-recommends npm && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package*.json ./
COPY vendor vendor
RUN npm ci --omit=dev --offline

FROM node
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY . .
USER nobody
CMD ["node", "index.js"]
DOCKERFILE
build_image "$context" npm
expect_equal "what the application prints" "$(run_image npm)" "average 3 production"
[ ! -e "$work/npm/rootfs/app/node_modules/left-over" ] || fail ".dockerignore was not followed"
[ ! -e "$work/npm/rootfs/usr/bin/npm" ] || fail "npm is in the last stage"
