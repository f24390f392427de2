# Every body says set -e, and each list is governed by it.
FROM debian:bookworm-slim
RUN set -e; mkdir /out; echo a > /out/a
RUN set -e; test -f /out/a && cp /out/a /out/b; rm /out/a
RUN set -e; \
    if test -f /out/a; then touch /out/wrong; fi; \
    mv /out/b /out/c
CMD ["ls", "/out"]
