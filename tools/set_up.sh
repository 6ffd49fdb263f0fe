#!/bin/sh
# Builds .venv from requirements.lock, unless it is up to date.
#
#   tools/set_up.sh [VERSION]      VERSION: as choose_python.sh takes it
set -eu
cd "$(dirname "$0")/.."

UV_VERSION=0.13.9
export UV_PYTHON_DOWNLOADS=never

stop() { echo "Error: $1" >&2; exit 1; }

python=$(tools/choose_python.sh "$@")
# Scripts in .venv name its folder, so a moved project builds it anew, as another Python does.
base="$("$python" --version) in $PWD"
inputs="$(cat requirements.lock pyproject.toml setup.py | cksum)"
[ "$(cat .venv/.ready 2>/dev/null)" = "$base $inputs" ] && exit

# pip brings uv, and uv brings the rest: in seconds, with every file checked against the lock's hashes.
if [ "$(.uv/bin/uv --version 2>/dev/null | cut -d " " -f 2)" != "$UV_VERSION" ]; then
    "$python" -m venv --clear .uv >/dev/null || stop "$python cannot make a virtual environment: apt-get install python3-venv"
    .uv/bin/python -m pip install --quiet "uv==$UV_VERSION"
fi
case "$(cat .venv/.ready 2>/dev/null)" in
    "$base "*) ;;
    *) .uv/bin/uv venv --quiet --clear --python "$python" .venv ;;
esac
rm -f .venv/.ready
# Without bytecode every import of TFX takes most of a minute.
.uv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode requirements.lock
.uv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
echo "$base $inputs" >.venv/.ready
