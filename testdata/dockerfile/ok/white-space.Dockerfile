FROM	a
  ENV	A=1 B=2
LABELa=b
　
VOLUME [" /v "]
RUN   x  
EXPOSE8081
