#!/bin/sh
# Checks requirements.lock against the advisories of PyPI. accepted_advisories.txt lists the exceptions.
#
#   tools/audit.sh [VERSION]      VERSION: the Python whose half of the lock is checked, as choose_python.sh takes it
set -eu
cd "$(dirname "$0")/.."

python=$(tools/choose_python.sh "$@")
"$python" -m venv --clear build/audit
build/audit/bin/python -m pip install --quiet pip-audit==2.10.1
accepted=$(sed -n 's/^\([A-Z]*-[0-9-]*\) .*/--ignore-vuln \1/p' tools/accepted_advisories.txt)
# shellcheck disable=SC2086  # one word for each option
build/audit/bin/pip-audit --requirement requirements.lock --require-hashes --disable-pip --strict --progress-spinner off $accepted
