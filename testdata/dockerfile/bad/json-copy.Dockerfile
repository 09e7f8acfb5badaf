FROM a
COPY ["a", true, "/d"]
