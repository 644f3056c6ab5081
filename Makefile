# Targets; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help install demo test test-fast test-portable coverage lint check docs bench clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("mds-lightning needs Python 3.11 or newer: make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(STAMP)

install: $(STAMP) ## make .venv with the package and its exact pins

demo: $(STAMP) ## simulate a cohort, cross-validate MDS vs donor, evaluate (minutes, no GPU)
	$(BIN)/mds-lightning train -m experiment=demo
	$(BIN)/mds-lightning evaluate study=runs/demo

# Two processes side by side, each with one thread: OMP_NUM_THREADS=2 make test runs them with two.
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist worksteal
test test-fast coverage: export OMP_NUM_THREADS ?= 1

test: $(STAMP) ## run the tests
	$(PYTEST)

test-fast: $(STAMP) ## run the tests that need neither whole commands nor servers (2 minutes)
	$(PYTEST) -m "not study and not server"

# As an older processor would run them: AVX2 with two threads, then SSE4.1 with one.
test-portable: $(STAMP) ## run the tests of models and explain with older vector instructions
	ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 OMP_NUM_THREADS=2 $(PYTEST) tests/models tests/explain
	ONEDNN_MAX_CPU_ISA=SSE41 ATEN_CPU_CAPABILITY=default OMP_NUM_THREADS=1 $(PYTEST) tests/models tests/explain

coverage: $(STAMP) ## run the tests and print which lines and branches they do not reach
	$(PYTEST) --cov --cov-report=term-missing

lint: $(STAMP) ## ruff, mypy and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test ## lint and test

docs: $(STAMP) ## build the documentation: docs/_build/html/index.html
	$(BIN)/sphinx-build -W --keep-going --quiet -b html -d docs/_build/doctrees docs docs/_build/html

bench: $(STAMP) ## speed relative to other libraries (see benchmarks/RESULTS.md)
	$(BIN)/python -m benchmarks

clean: ## remove what the targets above made
	rm -rf $(VENV) runs data dist build docs/_build docs/generated .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
