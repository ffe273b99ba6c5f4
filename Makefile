# `make all` and `make test` do everything on a fresh machine with Python 3.11 and pip.
# On Linux, PyPI's torch brings several GB of CUDA. To take PyTorch's CPU build instead:
#   make all PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PIP_ARGS ?=
BIN := .venv/bin
LOCK := exportcheck/toolchains/torch-2.13.txt
READY := .venv/.ready
PINNED := $(basename $(notdir $(LOCK)))
TOOLCHAINS ?= $(filter-out $(PINNED),$(basename $(notdir $(wildcard exportcheck/toolchains/torch-*.txt))))
COREMLTOOLS ?= 4.0 4.1 5.0 5.1.0 5.2.0 6.0 6.1 6.2
INDEX_ARGS ?=
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.DEFAULT_GOAL := help
.PHONY: help all dev test test-slow test-toolchain check lint format docs lock toolchains reports history history-pages cost coremltools-suite trial bench golden curves browser package clean

help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

# Every format is written, so that what lies in reports/ stays one run's.
all: $(READY) ## install the pinned toolchain, run the whole matrix, write reports/
	$(BIN)/exportcheck all --format markdown --format html --format junit --format badge

dev: $(READY) ## only create .venv from the pinned requirements

$(READY): $(LOCK) tests/requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(v != (3, 11) and "Python 3.11 is needed for the pinned toolchain, this is %d.%d: make PYTHON=/path/to/python3.11" % v)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet $(PIP_ARGS) -r $(LOCK) -r tests/requirements.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

test: $(READY) ## run the fast tests
	$(BIN)/pytest -q -n auto -m "not slow and not macos and not toolchain"

test-slow: $(READY) ## run the slow tests too
	$(BIN)/pytest -q -n auto -m "not macos and not toolchain"

test-toolchain: $(READY) ## run torch 1.7.1 for real; installs it into the user's cache
	$(BIN)/pytest -q -m toolchain

check: lint test ## lint, types and the fast tests

lint: $(READY) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY) ## let ruff format and mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY) ## write the generated blocks of the README anew
	$(BIN)/python -m tests.docs

golden: $(READY) ## write the golden files of the renderers anew
	$(BIN)/pytest -q tests/render --golden

curves: $(READY) ## write the plotted functions of the catalogue anew
	$(BIN)/python -m exportcheck.curves

browser: ## install what the browser tests need: Debian's chromium
	@command -v chromium || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -qq -y --no-install-recommends chromium; }

lock: ## write both lock files anew from their .in files
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet pip-tools
	.venv-lock/bin/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links -o $(LOCK) exportcheck/toolchains/torch-2.13.in
	.venv-lock/bin/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links -c $(LOCK) -o tests/requirements.txt tests/requirements.in
	rm -r .venv-lock

toolchains: ## write the locks of the old toolchains anew from their .in files
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet uv
	PYTHONPATH=. .venv-lock/bin/python -m exportcheck.toolchains.locking
	rm -r .venv-lock

reports: all ## what is committed in reports/: the same, and today's run in the history
	$(BIN)/exportcheck history add --replace reports/matrix.json
	$(MAKE) history-pages

# Each toolchain takes up to several GB while it is here. Failures are what is looked for: code 1.
history: $(READY) ## run the catalogue in every toolchain, one at a time, write reports/history.*
	set -e; for name in $(TOOLCHAINS); do \
	  $(BIN)/exportcheck toolchains install $$name $(INDEX_ARGS); \
	  $(BIN)/exportcheck all --toolchain $$name --output build/$$name || [ $$? = 1 ]; \
	  $(BIN)/exportcheck history add --replace build/$$name/matrix.json; \
	  if [ $$name = torch-1.7 ]; then for version in $(COREMLTOOLS); do \
	    $(BIN)/exportcheck toolchains install $$name+coremltools-$$version $(INDEX_ARGS); \
	    $(BIN)/exportcheck all --toolchain $$name --coremltools $$version \
	      --output build/$$name-$$version || [ $$? = 1 ]; \
	    $(BIN)/exportcheck history add --replace build/$$name-$$version/matrix.json; \
	  done; fi; \
	  $(BIN)/exportcheck toolchains remove $$name; \
	done
	$(BIN)/exportcheck history add --replace reports/matrix.json
	$(MAKE) history-pages

history-pages: $(READY) ## write reports/history.md and history.html anew from history.json and cost.json
	$(BIN)/exportcheck history show --format markdown --output reports/history.md
	$(BIN)/exportcheck history show --format html --output reports/history.html

cost: $(READY) ## time the forms of every family against its native one, write reports/cost.json
	$(BIN)/exportcheck cost all

coremltools-suite: $(READY) ## run Apple's own operator tests against mil-numpy
	$(BIN)/python -m tests.mil.coremltools_suite

# The packages of .venv are found too, and what its own .pth files lead to: exportcheck itself.
trial: $(READY) ## check other people's modules, write reports/foreign-modules.md
	$(PYTHON) -m venv .venv-trial
	echo "import site; site.addsitedir('$$($(BIN)/python -c 'import site; print(site.getsitepackages()[0])')')" > "$$(.venv-trial/bin/python -c 'import site; print(site.getsitepackages()[0])')/exportcheck-venv.pth"
	.venv-trial/bin/pip install --quiet --no-deps $(PIP_ARGS) -r tests/trial/requirements.txt
	mkdir -p build/trial
	.venv-trial/bin/python -m tests.trial.swapping
	.venv-trial/bin/python -m tests.trial

bench: $(READY) ## measure how fast everything is, write reports/performance.md
	$(BIN)/python -m tests.bench

package: $(READY) ## build wheel and sdist and check them
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist .
	$(BIN)/twine check --strict dist/*

clean: ## remove what was built
	rm -rf .venv .venv-trial build dist *.egg-info
