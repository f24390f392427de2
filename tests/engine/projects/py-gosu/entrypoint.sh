#!/bin/sh
set -e
mkdir -p /data && chown web /data
exec gosu web "$@"
