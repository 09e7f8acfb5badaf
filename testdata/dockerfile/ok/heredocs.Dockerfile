FROM debian:12

RUN <<EOF
set -e
apt-get update
# a comment of the shell
EOF

RUN <<-'SCRIPT' bash -x
	echo "$HOME"
		indented
	SCRIPT

RUN python3 <<PY > /out && cat 3<<DATA /dev/fd/3
print("hello")
PY
data
DATA

COPY <<app.conf <<"raw.conf" /etc/app/
home=$HOME
app.conf
home=$HOME
raw.conf

ONBUILD COPY <<trigger.txt /
FROM the base
trigger.txt

RUN ["cat", "<<EOF"]
