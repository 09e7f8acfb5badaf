# The first comment ends the search for directives.
# escape=`
    # an indented comment
FROM a
#
# dropped with the empty comment below
#
# kept for the instruction
#kept as well
RUN true
    RUN indented
# nothing follows this one
