# What fails and is caught, what fails and goes on, what is turned around.
FROM debian:bookworm-slim
RUN mkdir /out; cp /nowhere /out/x || true
RUN false; touch /out/after-false
RUN ! test -f /out/x
RUN test -f /out/x || echo missing > /out/log; true
RUN chmod 640 /out/log && (exit 3) || touch /out/caught
CMD ["ls", "-l", "--time-style=+", "/out"]
