# What you can do with a fresh clone. Everything is installed into .venv.

PYTHON := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help environment demo prism test test-slow test-faults test-cluster test-engines lint audit bench image sbom lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

environment:  ## build .venv; PYTHON_VERSION=3.12 chooses the Python
	@tools/set_up.sh $(PYTHON_VERSION)

demo: environment  ## set up, then run the whole pipeline on handwritten digits
	@.venv/bin/efficientmixnet digits data/digits
	@.venv/bin/efficientmixnet run pipeline/demo.yaml

test: environment  ## set up, then run the tests
	$(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder \
	    -m "not slow and not gpu and not cluster and not engines and not faults"

test-slow: environment  ## run the tests that take minutes
	$(PYTHON) -m pytest -m "slow and not gpu and not cluster and not engines and not faults"

test-faults: environment  ## kill, stop and damage runs, and fill a small disk; takes long
	$(PYTHON) -m pytest -m faults tests/faults

test-cluster: environment  ## test training jobs and manifests in the cluster of KUBECONFIG
	$(PYTHON) -m pytest -m cluster tests/cluster

# Both of Beam's servers bind every interface without a password, so they run in a separate network namespace.
# Root needs no user namespace for that. In a chroot the kernel allows none.
test-engines: prism  ## test the data path on Beam's Prism, which is built with Go
	unshare --net $$([ $$(id -u) = 0 ] || echo --map-root-user) sh -c 'ip link set lo up && \
	    PRISM=$(CURDIR)/build/prism $(PYTHON) -m pytest -m engines tests/engines'

prism: environment  # of the version of Beam that .venv has
	GOBIN=$(CURDIR)/build go install \
	    github.com/apache/beam/sdks/v2/go/cmd/prism@v$$($(PYTHON) -c 'from importlib.metadata import version; print(version("apache-beam"))')

lint: environment  ## check style and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	@# mypy does not follow the installed namespace. These links give it the folders under their public name.
	@mkdir -p build/typing/efficientmixnet
	@for folder in modules components pipeline kubeflow; do ln -sfn ../../../$$folder build/typing/efficientmixnet/$$folder; done
	@ln -sfn ../../../pipeline/api/__init__.py build/typing/efficientmixnet/__init__.py
	cd build/typing && ../../.venv/bin/mypy --config-file ../../pyproject.toml -p efficientmixnet

audit:  ## check the lock against published vulnerabilities; PYTHON_VERSION chooses the stack
	@tools/audit.sh $(PYTHON_VERSION)

bench: environment  ## run the benchmarks that need no data of your own; takes long
	@for benchmark in demo layers network optimizers data_path formats resizing reading pipeline_overhead training_overhead devices; do \
	    echo "== $$benchmark"; $(PYTHON) benchmarks/$$benchmark.py || exit 1; done

IMAGE ?= efficientmixnet:0.1.0
VARIANT ?= cpu
DOCKER ?= docker
REVISION = $(shell git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null || echo unknown)
# The time of the commit, so that building it again gives the same label.
CREATED = $(shell git log -1 --format=%cI 2>/dev/null || echo unknown)

image:  ## the image for clusters: make image IMAGE=REGISTRY/efficientmixnet:0.1.0-gpu VARIANT=gpu DOCKER=podman
	$(DOCKER) build --file kubeflow/Dockerfile --build-arg VARIANT=$(VARIANT) --build-arg REVISION=$(REVISION) \
	    --build-arg CREATED=$(CREATED) --tag $(IMAGE) .

sbom: environment  ## list the Python packages of the image as CycloneDX: make sbom VARIANT=gpu
	mkdir -p build
	tools/sbom.sh $(VARIANT) > build/sbom.part
	mv build/sbom.part build/efficientmixnet-$(VARIANT).cdx.json

COMPILE_FOR_IMAGE := .uv/bin/uv pip compile - --quiet --python-version 3.13 --python-platform x86_64-manylinux_2_40 \
    --no-python-downloads --generate-hashes --no-annotate --custom-compile-command "make lock"

lock: environment  ## resolve the dependencies again, for Python 3.10 to 3.13
	.uv/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.10 --generate-hashes \
	    --no-emit-package efficientmixnet --custom-compile-command "make lock" --upgrade -o requirements.lock
	@# What kubeflow/Dockerfile adds for its variants: TensorFlow without the code for GPUs, and the oldest CUDA that
	@# TensorFlow names, which it was built with.
	sed -n "s/^tensorflow==\([^ ]*\) ; python_full_version >= .*/tensorflow-cpu==\1/p" requirements.lock \
	    | $(COMPILE_FOR_IMAGE) --no-deps > kubeflow/cpu.lock
	echo "tensorflow[and-cuda]" | $(COMPILE_FOR_IMAGE) --constraint requirements.lock --resolution lowest \
	    | awk "/^[^ ]/ { wanted = /^(#|nvidia-)/ } wanted" > kubeflow/gpu.lock

clean:  ## remove the environment, data and runs
	rm -rf .venv .uv build data runs
