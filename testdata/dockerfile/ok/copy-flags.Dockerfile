FROM a
COPY a b c/
COPY --from=0 a b
COPY --from=stage a b
COPY --from=alpine:3 /etc/x .
COPY --chown=u a b
COPY --chown=u:g a b
COPY --chown=1000:1000 a b
COPY --chown=$U:$G a b
COPY --chmod=644 a b
COPY --chmod=07777 a b
COPY --chmod=u=rwX,go=rX a b
COPY --chmod=a+x,g-w,o= a b
COPY --chmod=$MODE a b
COPY --link --parents ./x/./y/**/*.txt /d/
COPY --exclude=*.o --exclude=**/x --exclude=!keep . /d
COPY a*.txt b?.txt arr[[]0].txt /d/
COPY ../outside /absolute trailing/ /d/
COPY ${SRC:-a} $DST
