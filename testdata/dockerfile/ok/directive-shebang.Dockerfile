#!/usr/bin/env -S tektii build -f
# syntax=docker/dockerfile:1
# check=error=true
# escape=`
FROM a
RUN one \
  two
