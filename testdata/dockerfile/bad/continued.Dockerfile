FROM a
ENV A=1 \
    B=2 \
    # the next one lacks its value
    C
COPY --chown=1:1 \
     --chmod=0999 \
     a b
LABEL a=1 \

  =2
