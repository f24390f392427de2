# A stale index is mended where the stage is thrown away, too.
FROM debian:bookworm-slim AS build
RUN apt-get update
RUN apt-get install -y --no-install-recommends tree
RUN mkdir /out
RUN cp /usr/bin/tree /out/tree
FROM debian:bookworm-slim
COPY --from=build /out/tree /usr/local/bin/tree
CMD ["tree", "--version"]
