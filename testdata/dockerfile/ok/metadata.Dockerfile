FROM a
LABEL one=1 "two words"="x y" three='$A' four=a\ b
LABEL legacy value with = signs
LABEL multi="a \
b"
ENV A=1 B="two words" C='$A' D=a\ b E= F=a=b
ENV LEGACY   value  "quoted"
ENV PATH /opt/bin:$PATH
MAINTAINER Some Body <some@body>
EXPOSE 80
EXPOSE 80/tcp 53/udp 132/SCTP 8000-8003 9000-9001/udp
EXPOSE 127.0.0.1:80:8080 [::1]:1:2 3:4 $PORT ${PORT:-90}/udp
VOLUME /a /b
VOLUME ["/c d", " /e "]
USER u
USER u:g
USER 1000:1000
USER $NAME
WORKDIR /a
WORKDIR rel/with blank
WORKDIR "/quoted"
STOPSIGNAL SIGTERM
STOPSIGNAL 9
STOPSIGNAL $SIGNAL
