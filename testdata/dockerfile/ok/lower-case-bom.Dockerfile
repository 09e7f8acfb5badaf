#!/usr/bin/env docker
# syntax=example.com/frontend:2
from scratch
onbuild run echo \
  hi
healthcheck none
maintainer Someone <someone@example.com>
arg a b=c d="e f"
copy --link --parents ./a/./b/*.txt /
add --keep-git-dir --link=false https://example.com/x.git#main /src
workdir relative/dir
run --network=none -- --not-a-flag
entrypoint []
cmd
