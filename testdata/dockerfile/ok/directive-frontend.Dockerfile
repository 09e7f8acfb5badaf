# syntax=ghcr.io/example/other-frontend:2
FROM a
