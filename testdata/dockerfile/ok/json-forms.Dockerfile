FROM a
RUN []x
RUN [ "a" , "b\tc" ,"\u00e9" ]
RUN   ["/bin/sh",
RUN ["a", "b"] # not JSON any more
RUN ['single']
RUN [ -d /x ]
RUN {"a": 1}
CMD []
CMD [""]
ENTRYPOINT []
ENTRYPOINT ["x", "-y"]
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
COPY ["with blank", "/d/"]
COPY [ab] /d/
ADD ["a", "b", "/d/"]
VOLUME ["/a", "/b c"]
VOLUME [/a]
VOLUME []x
HEALTHCHECK CMD ["a", "b"]
HEALTHCHECK CMD [a]
