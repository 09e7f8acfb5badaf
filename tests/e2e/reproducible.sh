#!/usr/bin/env bash
# The same files give the same digest whatever differs around them: directory, user, umask, time zone, locale, the order
# in which they were created, how many processors there are, and times of files of any size, sub-second parts included.
# And what --timestamps says is what the layers hold.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools jq taskset newuidmap
use_base_image
pick_user

# make_context DIRECTORY SEED TIMES: the files in an order that SEED shuffles, with the umask and the locale of now. TIMES
# is "old" (before 1970), "far" (later than 2^32 seconds), "near" or "near+" (the same seconds, with a fraction).
cat >"$work/make_context.py" <<'PYTHON'
import os, random, sys
root, seed, times = sys.argv[1], int(sys.argv[2]), sys.argv[3]
first = {"old": -3_000_000, "far": 2**32 + 1_000_000, "near": 1_000_000_000, "near+": 1_000_000_000}[times]
blocks = random.Random(7)
files = {f"tree/{name}/{i}": f"{name} {i}\n".encode() * i for name in ("a", "B", "_", "z z", "é", "I", "ı") for i in range(12)}
# Blocks that compress and blocks that do not, more than one for each processor.
files["tree/large"] = b"".join(blocks.randbytes(700_000) + b"text " * 200_000 for _ in range(5))
files["tree/empty"] = b""
files["tree/tool"] = b"#!/bin/sh\necho tool\n"
links = {"tree/to-tool": "tool", "tree/X-dangling": "nowhere"}
names = sorted(files) + sorted(links)
shuffled = names[:]
random.Random(seed).shuffle(shuffled)
for name in shuffled:
    path = os.fsencode(f"{root}/{name}")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if name in links:
        os.symlink(links[name], path)
    else:
        with open(path, "wb") as file:
            file.write(files[name])
os.chmod(f"{root}/tree/tool", 0o700 if seed % 2 else 0o755)
os.link(f"{root}/tree/tool", f"{root}/tree/zz-hard-link")
fraction = 0 if times == "near" else 999_999_999 if seed % 2 else 1
every = [os.path.join(at, name) for at, directories, names in os.walk(os.fsencode(root)) for name in directories + names]
for number, path in enumerate(sorted(every)):
    # A hard link has the times of its other name.
    if path.endswith(b"/zz-hard-link"): continue
    time = (first + number) * 1_000_000_000 + fraction
    os.utime(path, ns=(time, time), follow_symlinks=False)
    if os.lstat(path).st_mtime_ns != time:
        sys.exit(f"the file system of {root} can't hold the time {time}")
PYTHON
cat >"$work/Dockerfile" <<'DOCKERFILE'
FROM scratch AS files
WORKDIR /made/by/workdir
COPY tree /copied/
COPY tree/[a-z]* tree/é /globbed/
COPY --chown=5:6 --chmod=0640 tree/_ /owned/
FROM files
COPY --from=files /copied/large /again
DOCKERFILE
cat >"$work/run.Dockerfile" <<'DOCKERFILE'
FROM python:3.11-slim
COPY tree /copied/
RUN cp -r /copied /by-run && cd /by-run && touch -d @-5 old && touch -d @5000000000.5 far && touch late && rm -r B
DOCKERFILE
cp "$tektii" "$work/tektii"
cp -r "$base" "$work/base"
chmod -R a+rX "$work/tektii" "$work/base"

# build CONTEXT [OPTION...]: the digest of a cold build. A variable may be named before the function.
build() {
  local context=$1
  shift
  rm -rf "$context.cache"
  HOME=$context TMPDIR=$context.tmp TEKTII_CACHE_DIR=$context.cache "${as[@]}" "$work/tektii" build -q \
    --build-context "python:3.11-slim=oci-layout://$work/base:3.11-slim" --output "type=oci,dest=$context.out" \
    "$@" "$context" || fail "the build of $context"
}
context() { # directory, seed, times
  mkdir -p "$1" "$1.tmp" "$1.out"
  /usr/bin/python3 "$work/make_context.py" "$1" "$2" "$3" || fail "the context $1"
  cp "$work/Dockerfile" "$work/run.Dockerfile" "$1/"
}
as=()
mkdir "$work/one" "$work/an other" "$work/user's"

step "as $(id -un), every processor"
(umask 022 && context "$work/one/ctx" 1 near)
export TZ=UTC LC_ALL=C.UTF-8
gzip=$(build "$work/one/ctx")
zstd=$(build "$work/one/ctx" --compression zstd)
run=$(build "$work/one/ctx" -f "$work/one/ctx/run.Dockerfile")
[ "$gzip" != "$zstd" ] || fail "gzip and zstd give one digest"

step "one processor, another directory, umask 077, Tokyo, C, times before 1970"
export TZ=Asia/Tokyo LC_ALL=C
(umask 077 && context "$work/an other/context" 2 old)
as=(taskset -c "$(taskset -pc $$ | sed 's/.*: //; s/[-,].*//')")
expect_equal "gzip" "$(umask 077 && build "$work/an other/context")" "$gzip"
expect_equal "zstd" "$(umask 077 && build "$work/an other/context" --compression zstd)" "$zstd"
expect_equal "with a RUN" "$(umask 077 && build "$work/an other/context" -f "$work/an other/context/run.Dockerfile")" "$run"

step "as $user, umask 002, St John's, Turkish, times beyond 32 bits, one stage at a time"
export TZ=America/St_Johns LC_ALL=tr_TR.UTF-8 2>/dev/null  # the shell may not know it
(umask 002 && context "$work/user's/ctx" 3 far)
as=()
if [ "$(id -u)" = 0 ]; then
  as=(runuser -u "$user" --)
  chown -R "$user" "$work/user's"
fi
expect_equal "gzip" "$(umask 002 && build "$work/user's/ctx" --jobs 1)" "$gzip"
expect_equal "zstd" "$(umask 002 && build "$work/user's/ctx" --jobs 1 --compression zstd)" "$zstd"
expect_equal "with a RUN" "$(umask 002 && build "$work/user's/ctx" -f "$work/user's/ctx/run.Dockerfile")" "$run"
as=()
export TZ=UTC LC_ALL=C.UTF-8

# times_of CONTEXT: the different times in the layers of its last build.
times_of() {
  jq -r '.manifests[0].digest' "$1.out/index.json" | sed 's/:/\//' | while read -r manifest; do
    jq -r '.layers[].digest' "$1.out/blobs/$manifest" | sed 's/:/\//'
  done | while read -r layer; do
    tar --list --verbose --full-time --utc --file "$1.out/blobs/$layer" 2>/dev/null
  done | grep -oE '[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}' | sort -u
}

step "--timestamps EPOCH"
epoch=$(build "$work/one/ctx" --timestamps 1700000000)
[ "$epoch" != "$gzip" ] || fail "the epoch changes nothing"
expect_equal "the times in the layers" "$(times_of "$work/one/ctx")" "2023-11-14 22:13:20"
expect_equal "SOURCE_DATE_EPOCH" "$(SOURCE_DATE_EPOCH=1700000000 build "$work/one/ctx")" "$epoch"
expect_equal "other times" "$(build "$work/an other/context" --timestamps 1700000000)" "$epoch"

step "--timestamps preserve: whole seconds, of any size"
kept=$(build "$work/one/ctx" --timestamps preserve)
[ "$kept" != "$gzip" ] || fail "preserve changes nothing"
(umask 077 && context "$work/one/fraction" 5 near+)
expect_equal "with fractions of seconds" "$(build "$work/one/fraction" --timestamps preserve)" "$kept"
[ "$(build "$work/an other/context" --timestamps preserve)" != "$kept" ] || fail "old times give the digest of near ones"
expect_contains "times before 1970" "$(times_of "$work/an other/context")" "1969-11-27 "
build "$work/user's/ctx" --timestamps preserve >/dev/null
expect_contains "times beyond 32 bits" "$(times_of "$work/user's/ctx")" "2106-02-18 "
