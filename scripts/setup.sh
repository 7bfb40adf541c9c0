#!/bin/sh
# Makes .venv with everything pinned in requirements.lock, on nothing but Python 3.11+.
# Tries what the machine has: uv, then venv, then uv fetched into .tools by pip.
set -eu
cd "$(dirname "$0")/.."
stamp=.venv/.complete
wanted=$(cat requirements.lock pyproject.toml scripts/setup.sh | cksum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && exit 0

for name in python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$name" >/dev/null 2>&1 &&
        "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))'; then
        python=$(command -v "$name")
        break
    fi
done
if [ -z "${python:-}" ]; then
    echo "Nightlight needs Python 3.11 or newer: install it (Debian: apt install python3)." >&2
    exit 2
fi

say() { echo "setup: $*" >&2; }
uv=$(command -v uv || true)
if [ -z "$uv" ] && [ -x .tools/bin/uv ]; then uv=$PWD/.tools/bin/uv; fi
rm -rf .venv
if [ -z "$uv" ] && ! "$python" -m venv .venv >/dev/null 2>&1; then
    rm -rf .venv
    say "no venv module here; fetching uv into .tools"
    if ! "$python" -m pip install --quiet --target .tools uv >&2; then
        echo "setup: neither venv nor pip works with $python: apt install python3-venv" >&2
        exit 2
    fi
    uv=$PWD/.tools/bin/uv
fi
say "installing pinned packages into .venv (a minute or two the first time)"
# --no-deps: the lock is complete, and older pips look for the newest release of a package that
# another asks for with an extra, then refuse it for not being the pinned one.
if [ -n "$uv" ]; then
    "$uv" venv --quiet --python "$python" .venv
    "$uv" pip install --quiet --compile-bytecode --no-deps --python .venv/bin/python \
        --require-hashes -r requirements.lock
    "$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
    "$uv" pip check --quiet --python .venv/bin/python
else
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
        --require-hashes -r requirements.lock
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
        --no-build-isolation -e .
    .venv/bin/python -m pip check >&2
fi
# Otherwise the first picture waits for it, which may take longer than a request has.
say "compiling what hashes pictures (half a minute)"
.venv/bin/python -c 'from nightlight.adapters.sandbox_decoder import warm_up; warm_up()' >&2 ||
    say "that failed; it is done when the first picture comes"
echo "$wanted" >"$stamp"
say "done"
