#!/usr/bin/env bash
# Images on their way between registries, layouts and archives: skopeo, umoci, podman and Docker read what we write, where
# they are installed, and we read what skopeo writes.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools skopeo umoci jq curl
use_base_image
start_registry

registry_log=$(dirname "$registry_data")/log
# Requests of a method to a path that the registry has answered so far.
requests() { # method, extended regular expression
  grep -cE "\"$1 /v2/$2 HTTP" "$registry_log" || true
}
digest_of() { skopeo inspect --tls-verify=false --format '{{.Digest}}' "$1"; }
image_id() { skopeo inspect --tls-verify=false --raw "$1" | jq -r .config.digest; }

step "an image of three layers, left in the store, is pushed from there"
mkdir "$work/context"
head -c 300000 /dev/urandom >"$work/context/a"
printf 'hello\n' >"$work/context/b"
printf 'FROM python:3.11-slim\nCOPY a /a\nCOPY b /b\nENV A=1\n' >"$work/context/Dockerfile"
built=$("$tektii" build --build-context "$base_context" -t "$registry/app:1" "$work/context" 2>/dev/null)
pushed=$("$tektii" push "$registry/app:1")
expect_equal "the digest that push prints" "$pushed" "$built"
expect_equal "the digest in the registry" "$(digest_of "docker://$registry/app:1")" "$built"

step "pushing it again asks once"
before=$(requests '[A-Z]+' '.*')
"$tektii" push "$registry/app:1" >/dev/null
expect_equal "requests of a push of nothing new" "$(($(requests '[A-Z]+' '.*') - before))" 1

step "pull to a layout and to archives; the digests stay"
expect_equal "the digest that pull prints" "$("$tektii" pull "$registry/app:1" -o "$work/layout")" "$built"
"$tektii" pull "$registry/app:1" -o "$work/oci.tar" >/dev/null
"$tektii" pull "$registry/app:1" -o "$work/docker.tar" --format docker >/dev/null
"$tektii" pull "$registry/app:1" -o - --format docker >"$work/docker-stream.tar"
expect_equal "skopeo on the layout" "$(digest_of "oci:$work/layout:1")" "$built"
expect_equal "skopeo on the archive" "$(digest_of "oci-archive:$work/oci.tar:1")" "$built"
cmp "$work/docker.tar" "$work/docker-stream.tar" || fail "an archive on standard output is another one"
id=$(jq -r .config.digest <<<"$("$tektii" inspect --raw "$registry/app:1")")
expect_equal "the image id in the docker-archive" "$(image_id "docker-archive:$work/docker.tar:$registry/app:1")" "$id"
skopeo copy --quiet "docker-archive:$work/docker.tar" "oci:$work/from-docker:1"
rootless=()
[ "$(id -u)" = 0 ] || rootless=(--rootless)
umoci unpack "${rootless[@]}" --image "$work/layout:1" "$work/bundle" >/dev/null
expect_equal "a file in the image" "$(cat "$work/bundle/rootfs/b")" hello

step "a build writes the same archives"
"$tektii" build --build-context "$base_context" -t "$registry/app:1" "$work/context" \
  --output "type=docker,dest=$work/built.tar" >/dev/null 2>&1
cmp "$work/docker.tar" "$work/built.tar" || fail "the docker-archive of a build is another one"
"$tektii" build --build-context "$base_context" -t "$registry/app:1" "$work/context" --output type=docker,dest=- \
  2>/dev/null >"$work/built-stream.tar"
cmp "$work/docker.tar" "$work/built-stream.tar" || fail "the docker-archive of a build on standard output is another one"
"$tektii" build --build-context "$base_context" -t "$registry/app:zstd" --compression zstd "$work/context" \
  --output "type=docker,dest=$work/zstd.tar" >/dev/null 2>&1
skopeo copy --quiet "docker-archive:$work/zstd.tar" "oci:$work/from-zstd:1"

step "podman and Docker load them"
if command -v podman >/dev/null && podman info >/dev/null 2>&1; then
  for file in oci.tar docker.tar zstd.tar; do podman load -q -i "$work/$file" >/dev/null || fail "podman load $file"; done
  expect_equal "the id in podman" "sha256:$(podman image inspect --format '{{.Id}}' "$registry/app:1")" "$id"
  podman rmi -f "$registry/app:1" "$registry/app:zstd" >/dev/null
fi
if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
  for file in oci.tar docker.tar zstd.tar; do docker load -q -i "$work/$file" >/dev/null || fail "docker load $file"; done
  expect_equal "the id in Docker" "$(docker image inspect --format '{{.Id}}' "$registry/app:1")" "$id"
  docker rmi -f "$registry/app:1" "$registry/app:zstd" >/dev/null
fi

step "between repositories of one registry the layers are mounted"
uploads=$(requests PUT 'other/blobs/.*')
expect_equal "the digest of the copy" "$("$tektii" copy "$registry/app:1" "docker://$registry/other:1")" "$built"
expect_equal "blobs that were sent" "$(($(requests PUT 'other/blobs/.*') - uploads))" 0
expect_equal "the copy" "$(digest_of "docker://$registry/other:1")" "$built"

step "from registry to registry only what is missing moves, and nothing is kept on the way"
first=$registry first_log=$registry_log
start_registry
second=$registry registry_log=$(dirname "$registry_data")/log
layers=$(skopeo inspect --tls-verify=false --raw "docker://$first/app:1" | jq '.layers | length')
"$tektii" copy "$first/app:1" "$second/app:1" >/dev/null
expect_equal "blobs of a first copy" "$(requests PUT 'app/blobs/.*')" "$((layers + 1))"
printf 'goodbye\n' >"$work/context/b"
"$tektii" build --build-context "$base_context" -t "$first/app:2" --push "$work/context" >/dev/null 2>&1
rm -rf "$work/cache"
gets=$(grep -cE '"GET /v2/app/blobs/' "$first_log" || true)
"$tektii" copy "$first/app:2" "$second/app:2" >/dev/null
expect_equal "blobs of a copy with one new layer" "$(requests PUT 'app/blobs/.*')" "$((layers + 3))"
expect_equal "blobs read for it" "$(($(grep -cE '"GET /v2/app/blobs/' "$first_log") - gets))" 2
expect_equal "the copy" "$(digest_of "docker://$second/app:2")" "$(digest_of "docker://$first/app:2")"
[ ! -e "$work/cache" ] || fail "a copy between registries wrote to the store"

step "an index with all it names"
amd=$("$tektii" inspect --raw "$first/app:1")
size=$(skopeo inspect --tls-verify=false --raw "docker://$first/app:1" | wc -c)
jq -cn --arg digest "$built" --argjson size "$size" '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json",
  manifests: [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $digest, size: $size,
    platform: {os: "linux", architecture: "amd64"}}]}' | tr -d '\n' >"$work/index.json"
[ -n "$amd" ] || fail "inspect --raw prints nothing"
curl -fsS -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary "@$work/index.json" \
  "http://$first/v2/app/manifests/many"
index=sha256:$(sha256sum "$work/index.json" | cut -d ' ' -f 1)
expect_equal "the digest of the index" "$("$tektii" copy --all "$first/app:many" "$second/many:1")" "$index"
"$tektii" inspect --raw "$second/many:1" | cmp - "$work/index.json" || fail "the index is another one"
expect_equal "of an index one platform is taken" "$("$tektii" copy "$first/app:many" "$second/one:1")" "$built"
expect_equal "a whole index in an archive" "$("$tektii" copy --all "$first/app:many" "oci-archive:$work/many.tar:x")" "$index"
expect_equal "and back" "$("$tektii" copy --all "oci-archive:$work/many.tar:x" "$second/many:2")" "$index"

step "what skopeo writes"
skopeo copy --quiet --src-tls-verify=false "docker://$first/app:1" "docker-archive:$work/skopeo-docker.tar:app:1"
skopeo copy --quiet --src-tls-verify=false "docker://$first/app:1" "oci-archive:$work/skopeo-oci.tar:1"
skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false --format v2s2 "docker://$first/app:1" "docker://$first/docker:1"
"$tektii" copy "oci-archive:$work/skopeo-oci.tar:1" "$second/skopeo:oci" >/dev/null
expect_equal "from an oci-archive" "$(image_id "docker://$second/skopeo:oci")" "$id"
once=$("$tektii" push "docker-archive:$work/skopeo-docker.tar" "$second/skopeo:docker")
expect_equal "from a docker-archive" "$(image_id "docker://$second/skopeo:docker")" "$id"
expect_equal "a docker-archive gives one digest" "$("$tektii" copy "docker-archive:$work/skopeo-docker.tar:app:1" "oci:$work/again")" "$once"
v2s2=$(digest_of "docker://$first/docker:1")
expect_equal "a schema 2 manifest stays as it is" "$("$tektii" copy "$first/docker:1" "$second/docker:1")" "$v2s2"
printf 'FROM %s/docker:1\nCOPY b /c\n' "$first" >"$work/context/Dockerfile"
"$tektii" build "$work/context" --output "type=oci,dest=$work/on-docker" >/dev/null
expect_equal "on a schema 2 base" "$(jq -r .mediaType "$work/on-docker/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$work/on-docker/index.json")")" \
  application/vnd.oci.image.manifest.v1+json

step "archives are bases by --build-context"
printf 'FROM app\nCOPY b /c\n' >"$work/context/Dockerfile"
for base in "oci-archive:$work/skopeo-oci.tar:1" "docker-archive:$work/skopeo-docker.tar"; do
  "$tektii" build --build-context "app=$base" --output "type=oci,dest=$work/on-archive" "$work/context" >/dev/null || fail "on $base"
done

step "tags, page by page"
for i in $(seq 1 12); do "$tektii" copy "$first/app:1" "$second/tagged:t$i" >/dev/null; done
expect_equal "the number of tags" "$("$tektii" tags "$second/tagged" | wc -l)" 12
expect_equal "with a limit" "$("$tektii" tags --limit 5 "$second/tagged" | wc -l)" 5
expect_contains "the table of an image" "$("$tektii" inspect "$first/app:many")" linux/amd64
expect_equal "the exact config" "sha256:$("$tektii" inspect --config "$first/app:1" | sha256sum | cut -d ' ' -f 1)" "$id"

step "ten tags of one build: each blob is sent once"
tags=()
for i in $(seq 1 10); do tags+=(-t "$second/ten:$i"); done
before=$(requests PUT 'ten/blobs/.*')
"$tektii" build --build-context "$base_context" "${tags[@]}" --push "$work/context" --build-context "app=oci:$work/layout:1" >/dev/null
uploaded=$(($(requests PUT 'ten/blobs/.*') - before))
[ "$uploaded" -le 6 ] || fail "$uploaded blobs were sent for an image of 6"
expect_equal "tags" "$("$tektii" tags "$second/ten" | wc -l)" 10
