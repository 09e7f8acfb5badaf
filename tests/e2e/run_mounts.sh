#!/usr/bin/env bash
# RUN with every kind of mount, with heredocs, networks and entitlements, as we are and as an ordinary user: what the
# command sees, what is left in the image, and that the value of a secret is nowhere.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools jq ssh-agent ssh-keygen newuidmap
use_base_image

secret=the-value-$$-nobody-may-see
variable=the-variable-$$-nobody-may-see
context=$work/context
mkdir -p "$context/src"
printf 'print("code")\n' >"$context/src/main.py"
chmod 600 "$context/src/main.py"
printf 'noise\n' >"$context/src/skip.log"
printf '**/*.log\n' >"$context/.dockerignore"
printf '%s' "$secret" >"$work/token"
ssh-keygen -q -t ed25519 -N '' -C e2e -f "$work/key"

cat >"$context/Dockerfile" <<'DOCKERFILE'
FROM python:3.11-slim AS made
RUN mkdir -p /out/dir && echo artifact >/out/dir/file

FROM python:3.11-slim AS mounts
WORKDIR /app
ARG WHERE=src
RUN --mount=target=/code,source=$WHERE \
    python3 /code/main.py && test ! -e /code/skip.log && test "$(stat -c '%a %u %g' /code/main.py)" = '644 0 0' && \
    ! touch /code/x 2>/dev/null
RUN --mount=from=made,source=/out,target=/mnt/made,rw --mount=type=tmpfs,target=/mnt/made/tmp,size=1m \
    test "$(cat /mnt/made/dir/file)" = artifact && echo y >/mnt/made/dir/file && touch /mnt/made/tmp/x && \
    ! dd if=/dev/zero of=/mnt/made/tmp/y bs=1M count=2 2>/dev/null
RUN --mount=from=made,source=/out/dir/file,target=/etc/artifact test "$(cat /etc/artifact)" = artifact
RUN --mount=type=cache,target=/root/.cache/tool,sharing=locked,mode=0700 \
    --mount=type=cache,id=seeded,from=made,source=/out,target=/mnt/seeded \
    test "$(stat -c %a /root/.cache/tool)" = 700 && test -e /mnt/seeded/dir/file && \
    echo "times: $(cat /root/.cache/tool/count 2>/dev/null | wc -l)" && echo x >>/root/.cache/tool/count
RUN --mount=type=secret,id=token,required --mount=type=secret,id=var,env=VAR,target=/etc/var,uid=33,mode=0440 \
    test "$(wc -c </run/secrets/token)" -gt 20 && test "$VAR" = "$(cat /etc/var)" && \
    test "$(stat -c '%a %u' /run/secrets/token /etc/var | tr '\n' ,)" = '400 0,440 33,' && sha256sum /run/secrets/token
RUN --mount=type=secret,id=absent test ! -e /run/secrets/absent
RUN --mount=type=ssh,required,uid=65534 <<EOF
#!/usr/bin/env python3
import os, socket, struct
os.setuid(65534)
def ask(kind):
    agent = socket.socket(socket.AF_UNIX)
    agent.connect(os.environ["SSH_AUTH_SOCK"])
    agent.sendall(struct.pack(">IB", 1, kind))
    size = struct.unpack(">I", agent.recv(4))[0]
    return agent.recv(size)
assert b"ssh-ed25519" in ask(11), "no key is listed"
assert ask(19) == b"\x05", "keys could be removed"
EOF
RUN --network=none python3 -c 'import socket; assert "lo" in dict(map(reversed, socket.if_nameindex()))' && \
    ! grep -q 00000000 /proc/net/route
SHELL ["/bin/bash", "-euc"]
RUN <<ONE cat >/app/heredoc; cat <<TWO >>/app/heredoc
first
ONE
second
TWO
RUN <<EOF
echo third >>/app/heredoc
test "$(cat /app/heredoc | tr '\n' ,)" = first,second,third,
EOF
DOCKERFILE

build() { # log, arguments
  local log=$1
  shift
  VAR=$variable "$work/tektii" -v build --progress plain \
    --build-context "python:3.11-slim=oci-layout://$work/base:3.11-slim" \
    --secret "id=token,src=$work/token" --secret id=var,env=VAR --ssh "default=$work/key" "$@" "$context" 2>"$log" ||
    fail "the build failed: $(cat "$log")"
}

# The secrets are in no file of a directory, compressed or not.
expect_no_secret() { # directory
  local file
  while IFS= read -r -d '' file; do
    if [ "$(cat "$file" <(gzip -dcf "$file" 2>/dev/null || true) | grep -caF -e "$secret" -e "$variable")" != 0 ]; then
      fail "a secret is in $file"
    fi
  done < <(find "$1" -path '*/layers/v1' -prune -o -type f -print0)
  # The unpacked base is large, and what RUN writes is few files.
  if grep -rqaF -e "$secret" -e "$variable" "$1" 2>/dev/null; then fail "a secret is below $1"; fi
}

check() { # where
  local out=$1/out digest again files
  export TEKTII_CACHE_DIR=$1/cache
  digest=$(build "$1/log" --output "type=oci,dest=$out")
  expect_contains "output" "$(cat "$1/log")" "times: 0"
  step "nothing is left of mount targets"
  # WORKDIR and the heredocs are all that changed on top of the base.
  files=$(jq -r ".layers[$base_layers:][].digest" "$out/blobs/sha256/${digest#sha256:}" | while read -r layer; do
    tar --list --file "$out/blobs/sha256/${layer#sha256:}" 2>/dev/null
  done | LC_ALL=C sort -u | tr '\n' ' ')
  expect_equal "files of the layers" "$files" "app/ app/heredoc "
  step "no secret anywhere"
  expect_no_secret "$1"
  again=$(build "$1/log2" --output "type=oci,dest=$out")
  expect_equal "the digest of a cached build" "$again" "$digest"
  step "cache mounts survive --no-cache"
  build "$1/log3" --no-cache >/dev/null
  expect_contains "output" "$(cat "$1/log3")" "times: 1"
  printf '%s\n' "$digest"
}

cp "$tektii" "$work/tektii"
cp -r "$base" "$work/base"
chmod -R a+rX "$work/tektii" "$work/base" "$context" "$work/token" "$work/key"
mkdir "$work/self"
manifest=$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "3.11-slim").digest' \
  "$base/index.json")
base_layers=$(jq '.layers | length' "$base/blobs/sha256/${manifest#sha256:}")

step "as $(id -un)"
first=$(check "$work/self")

step "entitlements and what is missing are found before anything runs"
printf 'FROM python:3.11-slim\nRUN --security=insecure true\nRUN --network=host true\n' >"$context/Dockerfile.insecure"
refused=$("$work/tektii" build -f "$context/Dockerfile.insecure" "$context" 2>&1) && fail "it was not refused"
expect_contains "refusal" "$refused" "--allow security.insecure"
expect_contains "refusal" "$refused" "network.host is not allowed"
build "$work/insecure.log" -f "$context/Dockerfile.insecure" --allow security.insecure --allow network.host >/dev/null
rm "$context/Dockerfile.insecure"

[ "$(id -u)" = 0 ] || exit 0
pick_user
step "as $user"
mkdir "$work/other"
chown "$user" "$work/other"
export -f check build expect_no_secret expect_contains expect_equal step fail
export work context secret variable base_layers
# shellcheck disable=SC2016  # the inner shell's
second=$(runuser -u "$user" -- env TMPDIR="$work/other" bash -euo pipefail -c 'check "$work/other"')
expect_equal "the digest by $user" "$second" "$first"
