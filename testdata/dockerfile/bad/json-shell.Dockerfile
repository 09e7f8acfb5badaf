FROM a
SHELL ["a", 2]
