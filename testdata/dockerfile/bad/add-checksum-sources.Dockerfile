FROM a
ADD --checksum=sha256:0 a b c
