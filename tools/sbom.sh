#!/bin/sh
# Writes the Python packages of the container image as a CycloneDX document, from the locks that the image installs.
#
#   tools/sbom.sh [cpu|gpu] > efficientmixnet.cdx.json
set -eu
cd "$(dirname "$0")/.."
variant=${1:-cpu}

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
if [ "$variant" = cpu ]; then echo tensorflow; fi > "$folder/replaced.txt"
.uv/bin/uv pip compile pyproject.toml --extra kubeflow --extra jax --constraint requirements.lock "kubeflow/$variant.lock" \
    --excludes "$folder/replaced.txt" --python-version 3.13 --python-platform x86_64-manylinux_2_40 \
    --no-python-downloads --generate-hashes --no-annotate --no-header --quiet > "$folder/requirements.txt"
PYTHONWARNINGS=ignore .uv/bin/uv tool run --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py requirements "$folder/requirements.txt" \
    --pyproject pyproject.toml --mc-type application --output-reproducible --output-format JSON
