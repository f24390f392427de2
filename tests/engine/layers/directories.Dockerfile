# cd dies with its RUN.
FROM debian:bookworm-slim
WORKDIR /start
RUN mkdir -p /work/sub && cd /work/sub && touch inner
RUN touch here && mkdir made
RUN cd made; touch deep; cd ..; touch "a b"
RUN rm -f /work/sub/inner && pwd > where
CMD ["ls", "-R", "/start"]
