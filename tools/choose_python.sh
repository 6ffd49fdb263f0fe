#!/bin/sh
# Prints the Python that .venv is built with, and says on standard error which stack that is and why.
#
#   tools/choose_python.sh [VERSION]      VERSION: 3.13, 3.12, 3.11 or 3.10
#
# Two stacks exist because TFX 1.21's wheels need glibc 2.38 or newer, and TFX 1.16 runs on Python 3.10 at most.
# Without a VERSION an existing .venv keeps its Python. Nothing is downloaded.
set -eu

wanted=${1:-}
glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed -n 's/^glibc //p')

stop() { echo "Error: $1" >&2; exit 1; }

has_new_glibc() {
    [ "$(printf '%s\n' 2.38 "${glibc:-0}" | sort -V | head -n 1)" = 2.38 ]
}

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

# The path of a Python of this version: on the PATH, or installed by pyenv or uv.
find_python() {
    {
        command -v "python$1" || true
        command -v python3 || true
        ls -d "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python \
            "${UV_PYTHON_INSTALL_DIR:-$HOME/.local/share/uv/python}/cpython-$1".*/bin/python 2>/dev/null | sort -rV
    } | while IFS= read -r python; do
        # pyenv has a shim for every version, and most of them fail.
        if [ "$(version_of "$python")" = "$1" ]; then
            echo "$python"
            break
        fi
    done
}

if has_new_glibc; then
    versions="3.13 3.12 3.11" tfx=1.21 because="glibc $glibc is 2.38 or newer"
    install="apt-get install python3 python3-venv python3-dev g++"
else
    versions=3.10 tfx=1.16 because="TFX 1.21 needs glibc 2.38 or newer; this system has ${glibc:-no glibc}"
    install="pyenv install 3.10"
fi

case $wanted in
    "") ;;
    3.10) versions=3.10 tfx=1.16 because="PYTHON_VERSION=3.10" install="pyenv install 3.10" ;;
    3.11 | 3.12 | 3.13)
        has_new_glibc || stop "PYTHON_VERSION=$wanted: $because. Use Python 3.10 here."
        versions=$wanted because="PYTHON_VERSION=$wanted" install="pyenv install $wanted" ;;
    *) stop "PYTHON_VERSION=$wanted: choose 3.13, 3.12, 3.11 or 3.10" ;;
esac

kept=$(version_of .venv/bin/python || true)
if [ -z "$wanted" ] && [ -n "$kept" ]; then
    case " $versions 3.10 " in
        *" $kept "*)
            versions=$kept because=".venv has it; PYTHON_VERSION=... chooses another"
            [ "$kept" = 3.10 ] && tfx=1.16 ;;
    esac
fi

for version in $versions; do
    python=$(find_python "$version")
    [ -n "$python" ] || continue
    if [ "$version" = 3.13 ] && ! command -v c++ >/dev/null; then
        stop "Python 3.13 needs a C++ compiler and Python's headers to build pyfarmhash: $install"
    fi
    echo "Python $version with TFX $tfx ($because)" >&2
    echo "$python"
    exit
done
stop "no Python $(echo "$versions" | sed 's/ /, /g; s/, \([^,]*\)$/ or \1/') found ($because). Install one: $install"
