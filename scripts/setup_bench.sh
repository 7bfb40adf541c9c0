#!/bin/sh
# Makes .venv-bench: Nightlight and the peers it is measured beside, pinned.
set -eu
cd "$(dirname "$0")/.."
stamp=.venv-bench/.complete
wanted=$(cat requirements-bench.lock pyproject.toml scripts/setup_bench.sh | cksum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && exit 0
rm -rf .venv-bench
echo "setup: installing the peers into .venv-bench (some minutes the first time)" >&2
uv=$(command -v uv || true)
if [ -z "$uv" ] && [ -x .tools/bin/uv ]; then uv=$PWD/.tools/bin/uv; fi
if [ -n "$uv" ]; then
    "$uv" venv --quiet --python .venv/bin/python .venv-bench
    "$uv" pip install --quiet --compile-bytecode --no-deps --python .venv-bench/bin/python \
        --require-hashes -r requirements-bench.lock
    "$uv" pip install --quiet --python .venv-bench/bin/python --no-deps --no-build-isolation -e .
else
    "$(.venv/bin/python -c 'import sys; print(sys._base_executable)')" -m venv .venv-bench
    # --no-deps: the lock is complete, and one peer asks for an older version of a shared package.
    .venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
        --require-hashes -r requirements-bench.lock
    .venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
        --no-build-isolation -e .
fi
# vpdq has no built package: it is compiled here, and only where FFmpeg's headers are.
vpdq='vpdq==0.2.5'
if [ -n "$uv" ]; then
    "$uv" pip install --quiet --no-deps --python .venv-bench/bin/python "$vpdq" 2>/dev/null
else
    .venv-bench/bin/python -m pip install --quiet --no-deps "$vpdq" 2>/dev/null
fi || echo "setup: no vpdq to measure beside (Debian: apt install cmake g++ libav{device,filter,format,codec,util}-dev libswresample-dev libswscale-dev)" >&2
echo "$wanted" >"$stamp"
