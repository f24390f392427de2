# tags: ruby:3.1 ruby:3.1-bookworm
# The same with compilers and headers.
FROM buildpack-deps:bookworm
ENV LANG=C.UTF-8
RUN apt-get update \
 && apt-get install -y --no-install-recommends ruby ruby-dev bundler \
 && rm -rf /var/lib/apt/lists/* \
 && for program in ruby gem bundle bundler rake irb erb; do ln -s /usr/bin/$program /usr/local/bin/$program; done \
 && mkdir -m 1777 /usr/local/bundle
ENV RUBY_VERSION=3.1.2 GEM_HOME=/usr/local/bundle BUNDLE_SILENCE_ROOT_WARNING=1 BUNDLE_APP_CONFIG=/usr/local/bundle
ENV PATH=/usr/local/bundle/bin:$PATH
CMD ["irb"]
