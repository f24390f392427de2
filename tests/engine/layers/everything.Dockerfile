# restage.toml: policy = "all"
FROM debian:bookworm-slim
RUN mkdir /out; for i in 1 2 3; do touch "/out/$i"; done
RUN case "$(ls /out | wc -l)" in 3) touch /out/three ;; *) false ;; esac
RUN (cd /out && touch inner); { touch /out/group; } && if true; then touch /out/then; fi
RUN exec touch /out/exec
RUN cat /out/absent 2> /dev/null; echo "status $?" > /out/status
RUN ls /out | grep -c . > /count || true
CMD ["ls", "-l", "--time-style=+", "/out"]
