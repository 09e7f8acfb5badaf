FROM a
RNU true
