FROM a
RUN ["exec", "form"]
RUN [ -e /x ] && echo yes
RUN ['single', 'quotes']
RUN ["trailing"] words
RUN ["unterminated
CMD []
ENTRYPOINT ["tab\there", "quote\"d", "uni\u00e9", ""]
COPY ["white space.txt", "/a b/"]
COPY ["not json, /x
VOLUME ["a"
VOLUME []x
