ARG V
FROM a:$V
ENV A=$V B=${V} C=${V:-w} D=${V-w} E=${V:+w} F=${V+w} G=${V:?m} H=${V?m}
ENV A=${V#p} B=${V##p*} C=${V%s} D=${V%%s*} E=${V/a/b} F=${V//a/b} G=${V//\//_}
ENV A=${V:-${W:-deep}} B="${V:-a b}" C='$V' D=\$V E=$1$@$? F=$.
ADD $V ${V}
COPY $V ${V}
EXPOSE $V ${V:-80}
LABEL $V=${V}
STOPSIGNAL $V
USER $V
VOLUME $V
WORKDIR $V
ARG X=$V
ONBUILD ENV A=$V
RUN --mount=type=cache,target=$V,id=${V:-x} echo $V
CMD $V
ENTRYPOINT ["$V"]
HEALTHCHECK CMD $V
COPY <<f <<'g' /d/
$V
f
$V
g
