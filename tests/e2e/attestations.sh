#!/usr/bin/env bash
# Attestations as other programs read them: docker-registry stores them, skopeo copies them, jq and python read the
# statements, and the packages are those that the image's own tools list. Then a locked build.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools skopeo umoci jq python3 curl
use_base_image
start_registry

context=$work/context
mkdir "$context"
printf 'FROM python:3.11-slim\nARG GREETING=hello\nCOPY f /f\n' >"$context/Dockerfile"
echo f >"$context/f"
build() { "$tektii" build --build-context "$base_context" "$@" "$context"; }
manifest_of() { # registry path, reference
  curl -fsS -H 'Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json' \
    "http://$registry/v2/$1/manifests/$2"
}
blob_of() { curl -fsSL "http://$registry/v2/$1/blobs/$2"; }
predicate_of() { # file with the attestation manifest, predicate type
  blob_of app "$(jq -r --arg type "$2" '.layers[] | select(.annotations["in-toto.io/predicate-type"] == $type) | .digest' "$1")"
}

step "without an option it is one manifest"
plain=$(build -t "$registry/plain:1" --push --build-arg GREETING=visible)
manifest_of plain 1 | jq -e '.mediaType == "application/vnd.oci.image.manifest.v1+json"' >/dev/null || fail "an index"

step "an index with the image and its attestations"
index=$(build -t "$registry/app:1" --push --provenance --sbom --build-arg GREETING=visible --annotation index:level=index \
  --metadata-file "$work/metadata.json")
skopeo inspect --raw --tls-verify=false "docker://$registry/app:1" >"$work/index.json"
expect_equal "the digest of what is tagged" "sha256:$(sha256sum "$work/index.json" | cut -d' ' -f1)" "$index"
expect_equal "the digest in --metadata-file" "$(jq -r '.["containerimage.digest"]' "$work/metadata.json")" "$index"
expect_equal "the image in the index" "$(jq -r '.manifests[0].digest' "$work/index.json")" "$plain"
expect_equal "its platform" "$(jq -c '.manifests[0].platform' "$work/index.json")" '{"architecture":"amd64","os":"linux"}'
expect_equal "the other platform" "$(jq -r '.manifests[1].platform.os' "$work/index.json")" unknown
expect_equal "what it is" "$(jq -r '.manifests[1].annotations["vnd.docker.reference.type"]' "$work/index.json")" attestation-manifest
expect_equal "what it is about" "$(jq -r '.manifests[1].annotations["vnd.docker.reference.digest"]' "$work/index.json")" "$plain"
expect_equal "the annotation of the index" "$(jq -r '.annotations.level' "$work/index.json")" index

attestation=$(jq -r '.manifests[1].digest' "$work/index.json")
manifest_of app "$attestation" >"$work/attestation.json"
expect_equal "the subject" "$(jq -r '.subject.digest' "$work/attestation.json")" "$plain"
expect_equal "the types of the layers" "$(jq -r '[.layers[].mediaType] | unique | join(" ")' "$work/attestation.json")" application/vnd.in-toto+json

step "the registry lists no referrers, so a tag does"
manifest_of app "sha256-${plain#sha256:}" >"$work/referrers.json"
expect_equal "the referrers" "$(jq -r '[.manifests[].digest] | join(" ")' "$work/referrers.json")" "$attestation"
expect_equal "their type" "$(jq -r '.manifests[0].artifactType' "$work/referrers.json")" application/vnd.docker.attestation.manifest.v1+json

step "provenance"
predicate_of "$work/attestation.json" https://slsa.dev/provenance/v1 >"$work/provenance.json"
python3 -m json.tool "$work/provenance.json" >/dev/null
expect_equal "its subject" "sha256:$(jq -r '.subject[0].digest.sha256' "$work/provenance.json")" "$plain"
expect_equal "the base" "$(jq -r '.predicate.buildDefinition.resolvedDependencies[0].uri' "$work/provenance.json")" \
  'pkg:docker/python@3.11-slim?platform=linux%2Famd64'
expect_equal "the argument" "$(jq -r '.predicate.buildDefinition.externalParameters.request.args["build-arg:GREETING"]' "$work/provenance.json")" visible
expect_equal "the Dockerfile" "$(jq -r '.predicate.runDetails.metadata.buildkit_metadata.source.infos[0].data' "$work/provenance.json" | base64 -d | sha256sum)" \
  "$(sha256sum <"$context/Dockerfile")"

step "the bill of materials lists what dpkg and pip list"
predicate_of "$work/attestation.json" https://spdx.dev/Document | jq .predicate >"$work/spdx.json"
expect_equal "the version" "$(jq -r .spdxVersion "$work/spdx.json")" SPDX-2.3
expect_equal "ids that are there twice" "$(jq -r '.packages[].SPDXID' "$work/spdx.json" | sort | uniq -d)" ""
expect_equal "malformed ids" "$(jq -r '.packages[].SPDXID' "$work/spdx.json" | grep -vE '^SPDXRef-[A-Za-z0-9.-]+$' || true)" ""
expect_equal "relations to nothing" "$(jq -r '([.packages[].SPDXID] + ["SPDXRef-DOCUMENT"]) as $ids
  | .relationships[] | (.spdxElementId, .relatedSpdxElement) | select(. as $id | $ids | index($id) | not)' "$work/spdx.json")" ""
rootless=()
[ "$(id -u)" = 0 ] || rootless=(--rootless)
umoci unpack "${rootless[@]}" --image "$base:3.11-slim" "$work/unpacked" >/dev/null
purls() { jq -r '.packages[].externalRefs[]?.referenceLocator' "$work/spdx.json" | grep "^pkg:$1/" | sort; }
if command -v dpkg-query >/dev/null; then
  listed=$(dpkg-query --admindir="$work/unpacked/rootfs/var/lib/dpkg" -W -f '${db:Status-Status} ${Package} ${Version}\n' |
    awk '$1 == "installed" { print $2, $3 }' | sort)
  found=$(jq -r '.packages[] | select(.externalRefs[0].referenceLocator? // "" | startswith("pkg:deb/")) | .name + " " + .versionInfo' "$work/spdx.json" | sort)
  expect_equal "Debian's packages" "$found" "$listed"
fi
listed=$(find "$work/unpacked/rootfs" \( -path '*.dist-info/METADATA' -o -path '*.egg-info/PKG-INFO' -o -name '*.egg-info' -type f \) -print | wc -l)
expect_equal "how many of Python" "$(purls pypi | wc -l)" "$listed"

step "the same again, elsewhere, is the same"
again=$(build -t "$registry/other:2" --push --provenance --sbom --build-arg GREETING=visible --annotation index:level=index)
expect_equal "the digest of the index" "$again" "$index"
build -t "$registry/app:1" --push --provenance --sbom --build-arg GREETING=visible --annotation index:level=index >/dev/null
expect_equal "the referrers" "$(manifest_of app "sha256-${plain#sha256:}" | jq '.manifests | length')" 1

step "skopeo copies it, layouts hold it"
skopeo copy --quiet --all --src-tls-verify=false "docker://$registry/app:1" "oci:$work/copy:1"
expect_equal "the copy" "$(jq -r '.manifests[0].digest' "$work/copy/index.json")" "$index"
skopeo copy --quiet --src-tls-verify=false "docker://$registry/app:1" "oci:$work/single:1"
expect_equal "the image that a machine takes" "$(jq -r '.manifests[0].digest' "$work/single/index.json")" "$plain"
options=(--provenance --sbom --build-arg GREETING=visible --annotation index:level=index -t app:1)
build "${options[@]}" --annotation index-descriptor:a=b --output "type=oci,dest=$work/out" >/dev/null
expect_equal "the layout" "$(jq -r '.manifests[0].digest' "$work/out/index.json")" "$index"
expect_equal "its annotation" "$(jq -r '.manifests[0].annotations.a' "$work/out/index.json")" b
skopeo copy --quiet --all "oci:$work/out:1" "oci:$work/again:1"
build "${options[@]}" --output "type=oci,dest=$work/out.tar" >/dev/null
mkdir "$work/archive" && tar -xf "$work/out.tar" -C "$work/archive"
expect_equal "the archive" "$(jq -r '.manifests[0].digest' "$work/archive/index.json")" "$index"
for digest in "$plain" "$attestation" $(jq -r '.layers[].digest, .config.digest' "$work/attestation.json"); do
  for layout in out archive copy; do
    expect_equal "$digest in $layout" "sha256:$(sha256sum "$work/$layout/blobs/sha256/${digest#sha256:}" | cut -d' ' -f1)" "$digest"
  done
done

step "without artifacts there is no referrer"
build -t "$registry/legacy:1" --push --attest type=sbom,oci-artifact=false >/dev/null
legacy=$(manifest_of legacy "$(manifest_of legacy 1 | jq -r '.manifests[1].digest')")
expect_equal "its config" "$(jq -r .config.mediaType <<<"$legacy")" application/vnd.oci.image.config.v1+json
expect_equal "its subject" "$(jq -r .subject <<<"$legacy")" null
! manifest_of legacy "sha256-${plain#sha256:}" >/dev/null 2>&1 || fail "a tag of referrers"

step "a locked build looks up no tag"
skopeo copy --quiet --dest-tls-verify=false "oci:$base:3.11-slim" "docker://$registry/base:1"
# shellcheck disable=SC2016  # $TAG is for the Dockerfile
printf 'ARG TAG=1\nFROM %s/base:$TAG\nCOPY f /f\n' "$registry" >"$context/Dockerfile"
"$tektii" lock "$context" >"$work/changes"
expect_contains "what is new" "$(cat "$work/changes")" "+ $registry/base:1 sha256:"
"$tektii" lock --check "$context" >/dev/null
unlocked=$("$tektii" build "$context")
expect_equal "the locked digest" "$(TEKTII_CACHE_DIR=$work/cold "$tektii" build --locked "$context")" "$unlocked"
log=$(dirname "$registry_data")/log
before=$(grep -c '/v2/base/manifests/1 ' "$log" || true)
TEKTII_CACHE_DIR=$work/cold2 "$tektii" build --locked "$context" >/dev/null
expect_equal "requests for the tag" "$(grep -c '/v2/base/manifests/1 ' "$log" || true)" "$before"
status=0
refusal=$("$tektii" build --locked --build-arg TAG=2 "$context" 2>&1) || status=$?
expect_equal "the exit code of what is not locked" "$status" 2
expect_contains "the refusal" "$refusal" "$registry/base:2 is not in tektii.lock"
expect_contains "the refusal" "$refusal" "Dockerfile:2"
expect_contains "the refusal" "$refusal" "run tektii lock"
