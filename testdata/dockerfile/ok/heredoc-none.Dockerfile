FROM a
RUN echo <<<word
RUN echo "<<EOF"
RUN echo '<<EOF'
RUN echo \<<EOF
RUN echo x<<EOF
RUN echo $((1<<2))
RUN echo it's <<EOF
RUN ["<<EOF"]
RUN echo <<
RUN echo <<-
CMD <<EOF
ENTRYPOINT cat <<EOF
USER <<EOF
COPY ["<<EOF", "/d"]
HEALTHCHECK CMD cat <<EOF
