#!/usr/bin/env bash
# The base image of the other tests: it is there, and it is what its name says. crun runs its python and pip.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools umoci crun jq
use_base_image

rootless=()
[ "$(id -u)" = 0 ] || rootless=(--rootless)
umoci unpack "${rootless[@]}" --image "$base:3.11-slim" "$work/bundle" >/dev/null
cp "$project/examples/momentum/requirements.txt" "$work/bundle/rootfs/"
# The runtime gives a read-write root, the image's environment, and no network of its own.
jq '.process.args = ["sh", "-c", "pip install --quiet -r /requirements.txt 2>&1 && python -c \"import tabulate; print(tabulate.__version__)\""]
    | .root.readonly = false' "$work/bundle/config.json" >"$work/config.json"
mv "$work/config.json" "$work/bundle/config.json"
output=$(run_bundle "$work/bundle" "tektii-e2e-$$")
expect_contains "the pinned release, installed without a network" "$output" "$(sed 's/.*==//' "$project/examples/momentum/requirements.txt")"
