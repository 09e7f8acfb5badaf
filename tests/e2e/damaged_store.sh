#!/usr/bin/env bash
# A byte is flipped in every kind of file that the store has, and files are cut off: the same build notices what it reads,
# makes or fetches it again, and comes to the digest of an undamaged store.
# the names of files are digests
# shellcheck disable=SC2046
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
use_base_image
start_registry

context=$work/context
mkdir "$context"
head -c 300000 /dev/urandom >"$context/data"
printf '%s\n' 'FROM python:3.11-slim' 'COPY data /data' 'RUN cp /data /made && mkdir /d && echo x >/d/x' 'COPY line /line' \
  'RUN cat /line /usr/bin/env /made | sha256sum >/sum' >"$context/Dockerfile"
change_line() { printf '%s\n' "$1" >"$context/line"; }
change_line 0

# Prints the digest; every push goes to a repository of its own, so that all blobs are read.
pushes=0
build() {
  pushes=$((pushes + 1))
  "$tektii" build --build-context "$base_context" -t "$registry/r$pushes-$RANDOM:1" --push --output "type=oci,dest=$work/out.tar" \
    "$@" "$context" 2>"$work/stderr" || fail "the build: $(cat "$work/stderr")"
}
reference() { TEKTII_CACHE_DIR=$work/reference build; }

flip() { # file...
  /usr/bin/python3 - "$@" <<'PYTHON'
import os, sys
for name in sys.argv[1:]:
    os.chmod(name, 0o600)
    with open(name, "r+b") as file:
        middle = os.path.getsize(name) // 2
        file.seek(middle)
        byte = file.read(1)[0]
        file.seek(middle)
        file.write(bytes([byte ^ 0x10]))
PYTHON
}

blobs() { find "$TEKTII_CACHE_DIR/blobs/sha256" -type f; }
base_blobs() { for blob in $(blobs); do [ ! -e "$base/blobs/sha256/${blob##*/}" ] || echo "$blob"; done; }
step_blobs() { for blob in $(blobs); do [ -e "$base/blobs/sha256/${blob##*/}" ] || echo "$blob"; done; }

step "an undamaged build"
digest=$(reference)
expect_equal "the first build" "$(build)" "$digest"
[ -n "$(base_blobs)" ] && [ -n "$(step_blobs)" ] || fail "there are no blobs to damage"

step "blobs of steps, altered"
flip $(step_blobs)
expect_equal "the digest" "$(build)" "$digest"
expect_contains "what it says" "$(cat "$work/stderr")" "damaged"
expect_equal "the digest of one more build" "$(build)" "$digest"
[ "$(grep -c damaged "$work/stderr")" = 0 ] || fail "the store is still damaged: $(cat "$work/stderr")"

step "blobs of steps, cut off"
for blob in $(step_blobs); do truncate -s -1 "$blob"; done
expect_equal "the digest" "$(build)" "$digest"

step "blobs of the base, altered"
flip $(base_blobs)
expect_equal "the digest" "$(build)" "$digest"

step "blobs of the base, cut off"
for blob in $(base_blobs); do truncate -s 10 "$blob"; done
expect_equal "the digest" "$(build)" "$digest"

step "blobs of the base, altered, where they are unpacked"
flip $(base_blobs)
rm -rf "$TEKTII_CACHE_DIR/layers"
change_line 1
expect_equal "the digest" "$(build)" "$(reference)"

step "blobs of steps, altered, where they are unpacked"
flip $(step_blobs)
rm -rf "$TEKTII_CACHE_DIR/layers"
change_line 2
expect_equal "the digest" "$(build)" "$(reference)"

step "layer indexes"
flip "$TEKTII_CACHE_DIR"/layers/v1/*.index
change_line 3
expect_equal "the digest" "$(build)" "$(reference)"
truncate -s 20 "$TEKTII_CACHE_DIR"/layers/v1/*.index
change_line 4
expect_equal "the digest" "$(build)" "$(reference)"

step "action records"
flip $(find "$TEKTII_CACHE_DIR/actions" -type f)
expect_equal "the digest" "$(build)" "$(reference)"

step "unpacked layers that a power cut emptied"
for slot in "$TEKTII_CACHE_DIR"/layers/v1/*/boot; do
  echo 00000000-0000-0000-0000-000000000000 >"$slot"
  find "${slot%/boot}/fs" -type f -name 'env' -exec truncate -s 0 {} +
done
change_line 5
expect_equal "the digest" "$(build)" "$(reference)"

step "the documents of the layout"
for file in oci-layout index.json; do
  truncate -s 0 "$TEKTII_CACHE_DIR/$file"
  expect_equal "the digest with an empty $file" "$(build)" "$(reference)"
  flip "$TEKTII_CACHE_DIR/$file"
  expect_equal "the digest with an altered $file" "$(build)" "$(reference)"
done

step "everything at once"
flip $(blobs) $(find "$TEKTII_CACHE_DIR/actions" -type f | head -n 2) "$TEKTII_CACHE_DIR"/layers/v1/*.index
change_line 6
expect_equal "the digest" "$(build)" "$(reference)"
