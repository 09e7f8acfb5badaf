FROM a
ONBUILD RUN <<ONE cat - <<'TWO'
1
ONE
2
TWO
onbuild copy --chown=1 <<f /f
x
f
ONBUILD ADD <<g /g
y
g
