#!/bin/bash
set -eu
cd /work
exec mailcheck serve --rules rules.ini --port 8000
