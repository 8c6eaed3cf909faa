# Everything a newcomer needs: `make demo` and `make test`. Wants Python 3.11 or later with venv and pip, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 3
export WINLAB_STATE ?= $(CURDIR)/.winlab

.PHONY: setup demo test bench lint format pictures reference site clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed, this is %s: make PYTHON=python3.11 ..." % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: setup
	@$(BIN)/python -m examples.demo

test: setup
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup

bench: setup
	@$(BIN)/python -m bench

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: setup
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

pictures: setup
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@$(BIN)/python -m docs.pictures

reference: setup
	@$(BIN)/python -m docs.reference

site: setup
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@$(BIN)/sphinx-build --quiet --fail-on-warning docs build/site
	@echo build/site/index.html

clean:
	@if test -x $(BIN)/winlab; then $(BIN)/winlab down >/dev/null 2>&1 || true; fi
	@rm -rf $(VENV) .winlab build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache bench/results.json
