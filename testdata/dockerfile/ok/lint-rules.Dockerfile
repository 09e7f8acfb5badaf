# One place for each lint rule, in the order of the inventory.
ARG late=
FROM a AS StageCasing
FROM a as fromascasing
RUN continued \

  line
run inconsistent
FROM a AS twice
FROM a AS twice
FROM a AS scratch
CMD json args recommended
MAINTAINER somebody
FROM a:$undefined
WORKDIR relative
RUN x
ENV A=$undefined
CMD one
CMD two
ENV legacy format
FROM --platform=linux/arm64 a
FROM --platform=$TARGETPLATFORM a
ARG PASSWORD=secret
FROM a:$late
FROM --platform=linux/amd64 a
COPY node_modules /n
# wrong description
ARG described
EXPOSE 80/TCP
EXPOSE 127.0.0.1:80:80
