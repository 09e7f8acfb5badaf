# Syntax = docker/dockerfile:1.7
#check=skip=JSONArgsRecommended,StageNameCasing;error=true;experimental=all
# ESCAPE=`
FROM a
RUN one `
  two \
RUN three
