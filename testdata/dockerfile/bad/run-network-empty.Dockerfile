FROM a
RUN --network= x
