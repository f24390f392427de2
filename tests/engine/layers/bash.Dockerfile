# A SHELL of the file's own.
FROM debian:bookworm-slim
SHELL ["/bin/bash", "-eo", "pipefail", "-c"]
RUN mkdir /out && echo {a..c} > /out/braces
RUN cat < <(echo sub) > /out/substituted && printf 'x\ny\n' | tail -n 1 > /out/tail
RUN [[ -f /out/tail ]] && mv /out/tail /out/last
CMD ["ls", "/out"]
