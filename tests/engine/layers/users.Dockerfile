# Users and their directories: nothing that takes time.
FROM debian:bookworm-slim
RUN groupadd --gid 4000 app
# the one that runs
RUN useradd --uid 4000 --gid app --no-create-home app
RUN mkdir -p /data/x \
# inside
    && chown app:app /data
RUN chmod 750 /data
USER app
CMD ["id"]
