#!/bin/bash
set -e
chown -R node:node /app/data
exec setpriv --reuid=node --regid=node --clear-groups "$@"
