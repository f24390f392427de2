# restage.toml: style = "heredoc", policy = "all"
FROM debian:bookworm-slim
RUN mkdir -p /a/b && touch /a/b/c
RUN cd /a && mv b d
RUN find /a -type f | sort > /list && test -s /list
RUN printf '%s\n' "it's # fine" '$HOME' > /quoted
CMD ["cat", "/list", "/quoted"]
