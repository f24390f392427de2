#!/bin/sh
set -e
export GIT_VERSION="$(git --version | cut -d' ' -f1)"
exec "$@"
