# tags: ruby:3.1-slim ruby:3.1-slim-bookworm
# Debian's Ruby in the places of the public image: its programs in /usr/local/bin, gems in /usr/local/bundle.
FROM debian:bookworm-slim AS headers
RUN apt-get update && apt-get install -y --no-install-recommends ruby-dev
FROM debian:bookworm-slim
ENV LANG=C.UTF-8
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates procps ruby bundler tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && for program in ruby gem bundle bundler rake irb erb; do ln -s /usr/bin/$program /usr/local/bin/$program; done \
 && mkdir -m 1777 /usr/local/bundle
COPY --from=headers /usr/include /usr/include
COPY --from=headers /usr/lib/x86_64-linux-gnu/libruby-3.1.so /usr/lib/x86_64-linux-gnu/
ENV RUBY_VERSION=3.1.2 GEM_HOME=/usr/local/bundle BUNDLE_SILENCE_ROOT_WARNING=1 BUNDLE_APP_CONFIG=/usr/local/bundle
ENV PATH=/usr/local/bundle/bin:$PATH
CMD ["irb"]
