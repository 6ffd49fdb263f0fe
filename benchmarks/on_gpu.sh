#!/bin/bash
# Prepares the folder that benchmarks/on_gpu.py needs on a machine with a GPU and without a network: the wheels of Keras
# and of the small packages that it needs, the CIFAR-10 images, and the revision.
#
#   benchmarks/on_gpu.sh FOLDER [cifar10-train.tar.xz]
#
# PIP names the pip (.venv/bin/pip by default). The folder must stay below 64 MiB.
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:?"give the folder to prepare"}
mkdir -p "$folder"
rm -f "$folder"/*.whl
"${PIP:-$project/.venv/bin/pip}" download --quiet --no-deps --only-binary=:all: --dest "$folder" \
    --python-version 3.12 --implementation cp \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
    keras==3.15.1 optree==0.20.0 namex==0.1.0 h5py==3.16.0 absl-py==2.5.1 rich==15.0.0 markdown-it-py==4.3.0 mdurl==0.1.2 pygments==2.21.0
[ $# -lt 2 ] || cp "$2" "$folder/cifar10-train.tar.xz"
git -C "$project" describe --always --dirty >"$folder/revision"
size=$(du -sm "$folder" | cut -f1)
[ "$size" -le 64 ] || { echo "$folder: has $size MiB, more than 64"; exit 1; }
echo "$folder: $size MiB, revision $(cat "$folder/revision")"
