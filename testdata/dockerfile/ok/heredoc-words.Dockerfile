FROM a
RUN <<PLAIN
$A stays for the shell
PLAIN
RUN 3<<FD cat <&3
x
FD
RUN <<'SINGLE'
$A
SINGLE
RUN <<"DOUBLE"
$A
DOUBLE
RUN <<P"ar"t
x
Part
RUN <<es\'c
x
es'c
RUN <<'two words'
x
two words
RUN << SPACED
x
SPACED
RUN <<$NAME
x
$NAME
RUN <<EMPTY
EMPTY
RUN <<END
END is no terminator
 END
END!
END
