# Everything that the project does from a fresh clone; the environment lies in .venv.

PYTHON := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help environment demo prism test test-slow test-cluster test-engines lint bench image lock clean

help:  ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

environment:  ## build .venv; PYTHON_VERSION=3.12 chooses the Python
	@tools/set_up.sh $(PYTHON_VERSION)

demo: environment  ## set up, then run the whole pipeline on handwritten digits
	@.venv/bin/efficientmixnet digits data/digits
	@.venv/bin/efficientmixnet run pipeline/demo.yaml

test: environment  ## set up, then run the tests
	$(PYTHON) -m pytest -m "not slow and not gpu and not cluster and not engines"

test-slow: environment  ## the tests that take minutes
	$(PYTHON) -m pytest -m "slow and not gpu and not cluster and not engines"

test-cluster: environment  ## training jobs and manifests, in the cluster that KUBECONFIG names
	$(PYTHON) -m pytest -m cluster tests/cluster

# Both of Beam's servers bind every interface and ask for no password: in a network of their own nobody else sees them.
test-engines: prism  ## the data path on Beam's Prism, with workers that die and hang; builds it with Go
	unshare --net --map-root-user sh -c 'ip link set lo up && \
	    PRISM=$(CURDIR)/build/prism $(PYTHON) -m pytest -m engines tests/engines'

prism: environment  # of the version of Beam that .venv has
	GOBIN=$(CURDIR)/build go install \
	    github.com/apache/beam/sdks/v2/go/cmd/prism@v$$($(PYTHON) -c 'from importlib.metadata import version; print(version("apache-beam"))')

lint: environment  ## style, and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	@# mypy does not follow the installed namespace; these links show it the folders under their public name.
	@mkdir -p build/typing/efficientmixnet
	@for folder in modules components pipeline kubeflow; do ln -sfn ../../../$$folder build/typing/efficientmixnet/$$folder; done
	cd build/typing && ../../.venv/bin/mypy --config-file ../../pyproject.toml -p efficientmixnet

bench: environment  ## the figures in README and docs, measured here; takes long
	@for benchmark in demo layers network optimizers data_path resizing reading pipeline_overhead training_overhead devices; do \
	    echo "== $$benchmark"; $(PYTHON) benchmarks/$$benchmark.py || exit 1; done

IMAGE ?= efficientmixnet:0.1.0
VARIANT ?= cpu
DOCKER ?= docker

image:  ## the image for clusters: make image IMAGE=REGISTRY/efficientmixnet:0.1.0-gpu VARIANT=gpu DOCKER=podman
	$(DOCKER) build --file kubeflow/Dockerfile --build-arg VARIANT=$(VARIANT) --tag $(IMAGE) .

lock: environment  ## resolve the dependencies anew, for Python 3.10 to 3.13
	.uv/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.10 --generate-hashes \
	    --no-emit-package efficientmixnet --custom-compile-command "make lock" --upgrade -o requirements.lock

clean:  ## remove the environment and what runs left
	rm -rf .venv .uv build data runs
