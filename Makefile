# Each goal sets up what it needs: a fresh machine with Python 3.11+ is enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Compiled kernels of the tests: a cold cache, so that coverage sees the compiler's side too.
TEST_CACHE := $(CURDIR)/$(VENV)/.test-cache

# Tests next to each other share kernels: processes start with a stretch each, and later take from each other's.
TESTS := $(BIN)/pytest --numprocesses auto --dist worksteal --cov --cov-report=

BENCH_READY := $(VENV)/.bench-ready

# The oldest versions of the dependencies, beside the newest.
OLDEST := .venv-oldest

.PHONY: run test test-oldest lint bench clean

# The main job: train the xor study, print its table, draw its figure.
run: $(READY)
	$(BIN)/sweep run xor
	$(BIN)/sweep figure results/xor

# Compare with every peer, each in its own process; BENCH=--quick for the short form.
bench: $(BENCH_READY)
	$(BIN)/sweep bench $(BENCH)

# Every check: style, types, tests with the JIT on and off, a process for each core, coverage of both together.
test: lint
	rm -rf $(TEST_CACHE)
	XDG_CACHE_HOME=$(TEST_CACHE) $(TESTS)
	NUMBA_DISABLE_JIT=1 $(TESTS) --cov-append tests/kernels
	$(BIN)/coverage report --fail-under=95

# The tests with the oldest versions that pyproject.toml allows.
test-oldest: $(OLDEST)/.ready
	XDG_CACHE_HOME=$(CURDIR)/$(OLDEST)/.test-cache $(OLDEST)/bin/pytest --numprocesses auto --dist worksteal

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

$(BENCH_READY): $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	touch $@

$(OLDEST)/.ready: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --constraint constraints-oldest.txt --editable '.[test]'
	touch $@

clean:
	rm -rf $(VENV) $(OLDEST) build dist .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis
