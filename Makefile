# Everything works with python3.11, make and a package index.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: help venv demo test lint format bench lock

help:
	@echo "make venv    make .venv with everything pinned"
	@echo "make demo    run a platform to look at (ARGS=--check goes through it)"
	@echo "make test    formatting, lint, types, import contracts and all tests"
	@echo "make lint    the same without the tests"
	@echo "make bench   measure against the floors (ARGS='NAME ...')"
	@echo "make lock    pin dependencies anew"

venv: .venv/made

.venv/made: requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

demo: venv
	$(BIN)/lms demo $(ARGS)

lint: venv
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

format: venv
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: venv
	$(BIN)/python -m benchmarks $(ARGS)

lock:
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	  --all-extras --group dev --generate-hashes --no-header --no-emit-index-url \
	  --no-annotate --output-file requirements/dev.txt
