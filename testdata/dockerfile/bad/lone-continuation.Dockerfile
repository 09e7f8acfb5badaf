FROM a
\

# nothing
