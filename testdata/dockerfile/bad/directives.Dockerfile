# syntax=docker/dockerfile:1
# escape=\\
# syntax=docker/dockerfile:2
FROM a AS Büro
ONBUILD FROM b
SHELL bash -c
