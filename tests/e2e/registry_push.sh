#!/usr/bin/env bash
# The example, built and pushed to Debian's docker-registry: skopeo copies the image, umoci unpacks it, crun runs it, and
# it prints what the strategy prints.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools skopeo umoci crun jq
use_base_image
start_registry

step "build and push to $registry"
context=$work/context
copy_example "$context"
digest=$("$tektii" build -t "$registry/momentum:1" --push --iidfile "$work/iid" --metadata-file "$work/metadata.json" \
  --build-context "$base_context" "$context")
[[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || fail "stdout holds a digest alone, got: $digest"
[ -s "$work/iid" ] || fail "--iidfile wrote nothing"
jq -e . "$work/metadata.json" >/dev/null || fail "--metadata-file is not JSON"

step "the registry serves exactly what was announced"
served=$(curl -fsSI -H 'Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json' \
  "http://$registry/v2/momentum/manifests/1" | tr -d '\r' | awk -F': ' 'tolower($1) == "docker-content-digest" { print $2 }')
expect_equal "the digest under the tag" "$served" "$digest"

step "skopeo copies, umoci unpacks, crun runs"
skopeo copy --quiet --src-tls-verify=false "docker://$registry/momentum:1" "oci:$work/copy:1"
skopeo inspect --config "oci:$work/copy:1" >"$work/config.json"
expect_equal "the platform" "$(jq -r '.os + "/" + .architecture' "$work/config.json")" linux/amd64
expect_equal "the command" "$(jq -c '.config.Cmd' "$work/config.json")" '["python","strategy.py"]'
expect_equal "the working directory" "$(jq -r '.config.WorkingDir' "$work/config.json")" /app
expect_equal "layers in the history" "$(jq '[.history[] | select(.empty_layer | not)] | length' "$work/config.json")" \
  "$(jq '.rootfs.diff_ids | length' "$work/config.json")"
rootless=()
[ "$(id -u)" = 0 ] || rootless=(--rootless)
umoci unpack "${rootless[@]}" --image "$work/copy:1" "$work/bundle" >/dev/null
expect_equal "what the image prints" "$(run_bundle "$work/bundle" "tektii-e2e-$$")" "$(strategy_output)"
[ ! -e "$work/bundle/rootfs/app/Dockerfile" ] || fail ".dockerignore was not followed"
[ ! -s "$work/bundle/rootfs/etc/resolv.conf" ] || fail "the host's resolv.conf is in the image"

step "a second build pushes nothing and says the same"
again=$("$tektii" build -t "$registry/momentum:1" --push --build-context "$base_context" "$context")
expect_equal "the digest of a cached build" "$again" "$digest"

step "the pushed image is a base"
printf 'FROM %s/momentum:1\nENV MODE=second\n' "$registry" >"$work/second.Dockerfile"
"$tektii" build -f "$work/second.Dockerfile" -t "$registry/second:1" --push "$context" >/dev/null
skopeo copy --quiet --src-tls-verify=false "docker://$registry/second:1" "oci:$work/copy:2"
skopeo inspect --config "oci:$work/copy:2" | jq -e '.config.Env | index("MODE=second")' >/dev/null || fail "ENV is lost"

step "both forms of a local output hold the same image"
"$tektii" build --output "type=oci,dest=$work/out" --build-context "$base_context" "$context" >/dev/null
"$tektii" build --output "type=oci,dest=$work/out.tar" --build-context "$base_context" "$context" >/dev/null
expect_equal "the digest in the layout" "$(jq -r '.manifests[0].digest' "$work/out/index.json")" "$digest"
expect_equal "the digest in the archive" \
  "$(tar -xOf "$work/out.tar" index.json | jq -r '.manifests[0].digest')" "$digest"

step "a large layer is sent while it is made, and given up when the registry has it"
mkdir "$work/large"
head -c 48M /dev/urandom >"$work/large/noise"
printf 'FROM scratch\nCOPY noise /\n' >"$work/large/Dockerfile"
registry_log=$(dirname "$registry_data")/log
requests() {
  grep -F 'msg="response completed"' "$registry_log" | grep -F "http.request.method=$1 " | grep -c '/v2/large/blobs/' || true
}
large=$(TEKTII_CACHE_DIR=$work/cold1 "$tektii" build -t "$registry/large:1" --push "$work/large")
expect_equal "PATCH requests" "$(requests PATCH)" 1
skopeo copy --quiet --src-tls-verify=false "docker://$registry/large:1" "oci:$work/copy:3"
expect_equal "the digest under the tag" "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/large:1")" "$large"
again=$(TEKTII_CACHE_DIR=$work/cold2 "$tektii" build -t "$registry/large:2" --push "$work/large")
expect_equal "the digest of the second cold build" "$again" "$large"
expect_equal "uploads that were given up" "$(requests DELETE)" 1
[ -z "$(find "$registry_data/docker/registry/v2/repositories/large/_uploads" -name data -print -quit)" ] ||
  fail "an upload is left in the registry"
plain=$(TEKTII_CACHE_DIR=$work/cold3 "$tektii" build -t "$registry/large:3" --push --no-early-push "$work/large")
expect_equal "the digest without early push" "$plain" "$large"
expect_equal "PATCH requests after --no-early-push" "$(requests PATCH)" 2
