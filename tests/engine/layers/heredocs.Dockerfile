# The file's own style is the here-document.
FROM debian:bookworm-slim
RUN <<EOF
set -e
mkdir /out
echo "$HOME" > /out/home
EOF
RUN echo one > /out/one && \
    cat /out/one \
      > /out/two
# gone again
RUN cd /out && rm one
RUN <<EOF
set -e
test -f /out/one || touch /out/three
mv /out/two /out/four
EOF
CMD ["ls", "/out"]
