# Variables, functions, options, traps and umask belong to the shell of one RUN.
FROM debian:bookworm-slim
RUN export V=one; mkdir /out; echo "$V" > /out/v
RUN echo "${V-unset}" >> /out/v
RUN umask 077; touch /out/private
RUN touch /out/public && mv /out/public /out/shared
RUN trap 'touch /out/trapped' EXIT; touch /out/before-trap
RUN f() { touch "/out/$1"; }; f called; cat /out/v > /out/copy
RUN set -f; touch /out/glob; ls /out/* > /dev/null 2>&1 || touch /out/no-glob; rm /out/v
CMD ["ls", "-l", "--time-style=+", "/out"]
