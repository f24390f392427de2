#!/bin/sh
set -e
mkdir -p "$HOME/.config/app"
echo ready > "$HOME/.config/app/state"
case "$1" in
  serve) exec python app.py ;;
esac
exec "$@"
