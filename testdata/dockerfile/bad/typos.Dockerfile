FORM python:3.11-slim
WROKDIR /app
COPY requirements.txt
COPY --form=build /a /b
RUN --mount=type=cahce,target=/x make
EXPOSE
HEALTHCHECK --interval=10 CMD true
