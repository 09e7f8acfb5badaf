FROM a
ENV --x A=1
