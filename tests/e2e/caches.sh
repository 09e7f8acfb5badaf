#!/usr/bin/env bash
# Caches in Debian's docker-registry, in a directory that skopeo copies, and in the image: a machine without a store takes
# every step from them and gives the same digest, without reading a byte of the base image.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools skopeo jq curl
use_base_image
start_registry

context=$work/context
mkdir -p "$context"
printf 'input\n' >"$context/in.txt"
cat >"$context/Dockerfile" <<'DOCKERFILE'
FROM python:3.11-slim AS make
WORKDIR /src
COPY in.txt .
RUN cat in.txt in.txt >out.txt && date +%s.%N >stamp
FROM python:3.11-slim
WORKDIR /app
COPY --from=make /src/out.txt /src/stamp ./
RUN --mount=type=bind,from=make,source=/src,target=/src cp /src/stamp second
RUN true
CMD ["cat", "/app/out.txt"]
DOCKERFILE
steps=7 # three in the first stage, four in the second

# Builds with the store of that name, and leaves what was said in $work/log.
build() { # store, options
  local store=$1
  shift
  TEKTII_CACHE_DIR=$work/$store "$tektii" build --progress plain --build-context "$base_context" "$@" "$context" 2>"$work/log" ||
    fail "build with the store $store: $(cat "$work/log")"
}
# The numbers of the steps of stages that came from a cache, and of those that ran.
cached() { awk '/^#[0-9]+ \[(make|stage-1) / { n[$1] = 1 } / CACHED$/ && n[$1] { c++ } END { print c + 0 }' "$work/log"; }

step "mode=max and mode=min, written by one build"
digest=$(build first --cache-to "type=registry,ref=$registry/max:cache,mode=max" \
  --cache-to "type=registry,ref=$registry/min:cache" --cache-to "type=local,dest=$work/local,mode=max")
expect_equal "cached steps of the first build" "$(cached)" 0
manifest=$(curl -fsS -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$registry/v2/max/manifests/cache")
expect_equal "the type of the cache" "$(jq -r .config.mediaType <<<"$manifest")" application/vnd.tektii.cache.v1+json
for digest_of_base in $(jq -r '.manifests[0].digest' "$base/index.json"); do
  for layer in $(jq -r '.layers[].digest' "$base/blobs/sha256/${digest_of_base#sha256:}" 2>/dev/null); do
    ! grep -q "$layer" <<<"$manifest" || fail "a layer of the base is in the cache"
  done
done

step "a cold store and mode=max: every step, the same digest, nothing fetched"
expect_equal "the digest" "$(build cold --cache-from "type=registry,ref=$registry/max:cache")" "$digest"
expect_equal "cached steps" "$(cached)" "$steps"
! grep -q 'fetch layer' "$work/log" || fail "something was fetched: $(cat "$work/log")"
# Manifests and configs are kept; layers begin otherwise.
while IFS= read -r blob; do
  [ "$(head -c 1 "$blob")" = '{' ] || fail "a layer is in the store: $blob"
done < <(find "$work/cold/blobs" -type f)

step "the image, complete, out of that cache"
expect_equal "the digest" "$(build cold --cache-from "$registry/max:cache" --output "type=oci,dest=$work/out")" "$digest"
skopeo copy --quiet "oci:$work/out" "oci:$work/copy:1"

step "a cold store and mode=min: the first stage runs, and gives another stamp"
build cold-min --cache-from "type=registry,ref=$registry/min:cache" >/dev/null
expect_equal "cached steps" "$(cached)" 1 # WORKDIR of the second stage; what it copies is new

step "the directory, and what skopeo makes of it"
expect_equal "the digest" "$(build cold-local --cache-from "type=local,src=$work/local")" "$digest"
expect_equal "cached steps" "$(cached)" "$steps"
skopeo copy --quiet --dest-tls-verify=false "oci:$work/local:latest" "docker://$registry/copied:cache"
expect_equal "the digest" "$(build cold-copied --cache-from "$registry/copied:cache")" "$digest"
expect_equal "cached steps" "$(cached)" "$steps"
skopeo copy --quiet --src-tls-verify=false "docker://$registry/max:cache" "oci:$work/back:latest"
expect_equal "the digest" "$(build cold-back --cache-from "type=local,src=$work/back")" "$digest"

step "an unchanged cache costs one look"
log=$(dirname "$registry_data")/log
before=$(wc -l <"$log")
build first --cache-to "type=registry,ref=$registry/max:cache,mode=max" >/dev/null
sleep 0.3
lines=$(tail -n "+$((before + 1))" "$log" | grep 'http.request.method=' | grep -oE 'method=(GET|HEAD|PUT|POST|PATCH)' | sort | uniq -c | tr -s ' ' | tr '\n' ';')
if grep -qE 'PUT|POST|PATCH|GET' <<<"$lines" || ! grep -q HEAD <<<"$lines"; then fail "the unchanged export made requests: $lines"; fi

step "a pushed image with its cache in it, on a machine that pushes it on"
printf 'FROM python:3.11-slim\nWORKDIR /app\nCOPY in.txt .\nRUN date +%%s.%%N >stamp\n' >"$context/Dockerfile"
inline=$(build first --cache-to type=inline --push --tag "$registry/app:1")
expect_equal "the digest" "$(build inline --cache-from "type=registry,ref=$registry/app:1" --build-arg BUILDKIT_INLINE_CACHE=1 \
  --push --tag "$registry/other:1")" "$inline"
expect_equal "cached steps" "$(awk '/^#[0-9]+ \[stage-0 |^#[0-9]+ \[[0-9]/ { n[$1] = 1 } / CACHED$/ && n[$1] { c++ } END { print c + 0 }' "$work/log")" 3
skopeo copy --quiet --src-tls-verify=false "docker://$registry/other:1" "oci:$work/copy:2"
without=$(build first)
[ "$without" != "$inline" ] || fail "type=inline is part of the image"

step "version upload takes the same options"
mkdir "$work/strategy"
printf 'FROM scratch\nCOPY in.txt /\n' >"$work/strategy/Dockerfile"
cp "$context/in.txt" "$work/strategy/"
cat >"$work/upload.sh" <<'UPLOAD'
set -eu
tektii=$1 work=$2
strategy=$("$tektii" strategy create --name cached --output json | jq -r .id)
for store in upload-one upload-two; do
  TEKTII_CACHE_DIR=$work/$store "$tektii" version upload "$strategy" --context "$work/strategy" --progress plain \
    --cache-from "type=local,src=$work/upload-cache" --cache-to "type=local,dest=$work/upload-cache"
done
UPLOAD
"$tektii" sandbox -- sh "$work/upload.sh" "$tektii" "$work" >"$work/log" 2>&1 || fail "version upload: $(cat "$work/log")"
expect_equal "cached steps and exports of both uploads" "$(grep -c ' CACHED$' "$work/log")" 2
expect_equal "cold stores" "$(grep -c "exporting cache to $work/upload-cache" "$work/log")" 2

step "a cache of BuildKit is told from ours"
config='{"layers":null,"records":null}'
config_digest=sha256:$(printf '%s' "$config" | sha256sum | cut -d' ' -f1)
location=$(curl -fsSi -X POST "http://$registry/v2/foreign/blobs/uploads/" | tr -d '\r' | awk 'tolower($1) == "location:" { print $2 }')
curl -fsS -X PUT -H 'Content-Type: application/octet-stream' --data-binary "$config" "$location&digest=$config_digest"
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.buildkit.cacheconfig.v0","digest":"%s","size":%d},"layers":[]}' \
  "$config_digest" "${#config}" >"$work/foreign.json"
curl -fsS -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary "@$work/foreign.json" "http://$registry/v2/foreign/manifests/1"
build first --cache-from "$registry/foreign:1" >/dev/null
expect_contains "the warning" "$(cat "$work/log")" "it is a cache of BuildKit"
