# An index, what is installed with it, and the lists: three layers, of which two hold what the last removes.
FROM debian:bookworm-slim
RUN apt-get update
RUN apt-get install -y --no-install-recommends tree
# not needed any more
RUN rm -rf /var/lib/apt/lists/*
CMD ["tree", "--version"]
