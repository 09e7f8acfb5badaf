FROM a
RUN one \
    two \	 
    three
RUN glued\
together
RUN doubled \\
RUN comments \
# in column 0
    # indented
  between \
  # the last one ends in a continuation \
  pieces
RUN empty \

	
  lines
RUN \
\
alone
\
RUN behind a lone one
RUN not a # comment \
  at all # here
ENV A=1 \
    B=2
RUN at the end \
