#!/bin/sh
# Makes sure that there is a Chromium for the browser tests.
set -eu
command -v chromium >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "setup: installing chromium for the browser tests" >&2
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null
    exit 0
fi
echo "The browser tests need Chromium: sudo apt install chromium, then make test again." >&2
exit 2
