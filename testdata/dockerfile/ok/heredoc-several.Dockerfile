FROM a
RUN cat <<one <<two >/x && \
    cat <<three
1
one
2
two
3
three
COPY <<a.txt plain <<"b c.txt" /d/
$A
a.txt
$B
b c.txt
ADD <<a /d
one
a
