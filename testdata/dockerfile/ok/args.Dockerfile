ARG GLOBAL
ARG A=1 B C=three D="x y"
FROM a
ARG GLOBAL
ARG one two=2 three= four=${one:-x} five="$two"
ARG HTTP_PROXY TARGETPLATFORM=linux/amd64
ARG SOURCE_DATE_EPOCH=0
