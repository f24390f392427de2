# restage.toml: cache = "mount"
FROM golang:1.22 AS build
WORKDIR /src
COPY main.go.txt main.go
RUN go mod init example.com/m
RUN go build -trimpath -o /m .
FROM debian:bookworm-slim
COPY --from=build /m /m
CMD ["/m"]
