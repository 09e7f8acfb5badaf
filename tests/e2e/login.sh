#!/usr/bin/env bash
# Logins against Debian's docker-registry with htpasswd: what `tektii login` keeps is good for a push and for skopeo, and
# the other way round; the password is asked for on a terminal without echo; helpers keep what they are named for.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools skopeo jq htpasswd script
mkdir "$work/home" "$work/bin" "$work/context"
export HOME=$work/home DOCKER_CONFIG=$work/home/.docker TEKTII_CACHE_DIR=$work/cache
unset REGISTRY_AUTH_FILE DOCKER_AUTH_CONFIG XDG_RUNTIME_DIR XDG_CONFIG_HOME
htpasswd -Bbn bob 'pass:word' >"$work/htpasswd" 2>/dev/null
start_registry "$work/htpasswd"
printf 'FROM scratch\nCOPY file /\n' >"$work/context/Dockerfile"
echo content >"$work/context/file"
config=$DOCKER_CONFIG/config.json

step "without a login a push is denied and says what to do"
status=0
message=$("$tektii" build --push -t "$registry/app:1" "$work/context" 2>&1 >/dev/null) || status=$?
expect_equal "the exit code" "$status" 4
expect_contains "the hint" "$message" "tektii login $registry"

step "a wrong password is not kept"
status=0
message=$(echo wrong | "$tektii" login -u bob --password-stdin "$registry" 2>&1) || status=$?
expect_equal "the exit code" "$status" 4
[ ! -e "$config" ] || fail "the wrong password was kept"

step "a login is good for a push and for skopeo"
message=$(echo 'pass:word' | "$tektii" login -u bob --password-stdin "$registry" 2>&1)
expect_contains "the warning" "$message" "unencrypted in $config"
expect_equal "the mode of the file" "$(stat -c %a "$config")" 600
"$tektii" build --push -t "$registry/app:1" "$work/context" >"$work/digest" 2>"$work/log" || fail "$(cat "$work/log")"
expect_equal "what skopeo sees" \
  "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/app:1")" "$(cat "$work/digest")"

step "logout takes it away"
"$tektii" logout "$registry" 2>/dev/null
! "$tektii" build --push -t "$registry/app:2" "$work/context" >/dev/null 2>&1 || fail "still logged in"

step "a login of podman's kind is found, and --authfile is the only place"
skopeo login --tls-verify=false --authfile "$HOME/.config/containers/auth.json" -u bob -p 'pass:word' "$registry" >/dev/null
"$tektii" build --push -t "$registry/app:2" "$work/context" >/dev/null 2>&1 || fail "auth.json was not found"
echo '{}' >"$work/empty.json"
! "$tektii" build --push --authfile "$work/empty.json" -t "$registry/app:3" "$work/context" >/dev/null 2>&1 ||
  fail "--authfile was not the only place"
rm "$HOME/.config/containers/auth.json"

step "on a terminal the password is asked for without echo"
answer() { # the question, which comes when the echo is off
  local waited=0
  until grep -qF "$1" "$work/shown" || [ $((waited += 1)) -gt 200 ]; do sleep 0.1; done
  echo 'pass:word'
  sleep 1
}
: >"$work/shown"
answer Password | script -qec "'$tektii' login -u bob --authfile '$work/asked.json' '$registry'" /dev/null >"$work/shown"
shown=$(cat "$work/shown")
expect_contains "the question" "$shown" "Password"
expect_contains "the outcome" "$shown" "Logged in to $registry as bob"
! grep -qF 'pass:word' <<<"$shown" || fail "the password was shown: $shown"
jq -e --arg r "$registry" '.auths[$r].auth' "$work/asked.json" >/dev/null || fail "the login was not kept"

step "a helper keeps it"
cat >"$work/bin/docker-credential-files" <<SCRIPT
#!/bin/sh
case \$1 in
  store) cat >"$work/kept" ;;
  get) [ -e "$work/kept" ] && cat "$work/kept" || { echo 'credentials not found in native keychain'; exit 1; } ;;
  erase) rm -f "$work/kept" ;;
esac
SCRIPT
chmod +x "$work/bin/docker-credential-files"
export PATH=$work/bin:$PATH
mkdir -p "$DOCKER_CONFIG"
echo '{"credsStore": "files", "detachKeys": "ctrl-x"}' >"$config"
echo 'pass:word' | "$tektii" login -u bob --password-stdin "$registry" 2>/dev/null
expect_equal "what the helper was given" "$(jq -r .Secret "$work/kept")" 'pass:word'
! grep -qF "$(printf 'bob:pass:word' | base64)" "$config" || fail "the password is in the file as well"
expect_equal "other settings" "$(jq -r .detachKeys "$config")" ctrl-x
"$tektii" build --push -t "$registry/app:4" "$work/context" >/dev/null 2>&1 || fail "the helper was not asked"
"$tektii" logout "$registry" 2>/dev/null
[ ! -e "$work/kept" ] || fail "the helper was not told to forget"
