#!/usr/bin/env bash
# The quickstart's workflow against the sandbox, with the binary of this build: strategy, version, scenario, table.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools jq
use_base_image

export TEKTII_BINARY=$tektii TEKTII_BASE_IMAGE=$base TEKTII_QUICKSTART_DIR=$work/quickstart
step "strategy create, version upload, scenario create, scenario get"
output=$("$tektii" sandbox -- "$project/scripts/quickstart.sh" --inside-sandbox)
printf '%s\n' "$output"
for text in "✓ Strategy created successfully!" "Validating inputs..." "✓ Created version: ver_" \
  "Verifying image platform..." "✓ Version uploaded successfully!" "PENDING" "COMPLETE" "┌" "└"; do
  expect_contains "the workflow" "$output" "$text"
done
grep -qE '@sha256:[0-9a-f]{64}' <<<"$output" || fail "no digest of the image was shown"

step "with --data, a second sandbox still knows what the first was told"
"$tektii" sandbox --data "$work/data" -- "$tektii" strategy create --name kept >/dev/null
expect_contains "the list" "$("$tektii" sandbox --data "$work/data" -- "$tektii" strategy list)" "kept"
