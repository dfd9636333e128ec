# Everything a fresh machine needs is done by the target itself: Python 3.11+ and make suffice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TRAINING := $(VENV)/.training

.DEFAULT_GOAL := help
.PHONY: help demo test check bench train lock clean

help:  ## what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m compileall -q mailbot
	@touch $(READY)

$(TRAINING): $(READY) tests/training/requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/training/requirements.lock
	@touch $(TRAINING)

demo: $(READY)  ## the whole story on embedded servers, in under a minute
	$(BIN)/mailbot demo

test: $(READY)  ## all tests; those that need Dovecot or PostgreSQL are skipped where these are missing
	$(BIN)/python -m pytest

check: $(READY)  ## lint, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check mailbot
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## speed and size, measured against a real Dovecot
	$(BIN)/python -m tests.bench

train: $(TRAINING)  ## train the second reader anew from tests/corpus
	$(BIN)/python -m tests.training.train

lock:  ## pin every dependency again, with hashes and without addresses
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --extra demo --extra postgres --extra letters --extra oauth --extra calendar --extra dkim --extra metrics --extra protect --extra dev \
	  --output-file requirements.lock pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --extra train --constraints requirements.lock --output-file tests/training/requirements.lock pyproject.toml

clean:  ## remove what was made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
