FROM a
ONBUILD maintainer x
