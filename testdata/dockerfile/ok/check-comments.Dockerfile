FROM a AS Base
# check=skip=JSONArgsRecommended
CMD one
# what the port is for
# check=skip=ExposeProtoCasing;error=true
EXPOSE 80/TCP
# check=skip=all

RUN the comment still belongs to this
