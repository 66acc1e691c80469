# Each goal sets up what it needs: a fresh machine with Python 3.11+ is enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.bench-ready
DOCS_READY := $(VENV)/.docs-ready

# Compiled kernels of the tests: a cache of their own, which is empty at first.
TEST_CACHE := $(CURDIR)/$(VENV)/.test-cache

# Tests next to each other share kernels: processes start with a stretch each, and later take from each other's.
TESTS := $(BIN)/pytest --numprocesses auto --dist worksteal

# What takes many kernels runs without the JIT, and only some of it with it. Coverage, which doubles the time of kernels
# that run as Python, sees all of their lines in some of these tests.
COVERED_TESTS := $(addprefix tests/kernels/test_,words.py initial_weights.py) tests/sweep/training/test_words.py
PLAIN_TESTS := tests/kernels tests/sweep/training/test_run.py::test_every_run_as_the_oracle \
	tests/sweep/training/test_sharpness.py tests/sweep/verification/test_true_results.py tests/sweep/compositions

# What takes many kernels runs compiled without coverage, under which Numba takes nearly twice as long, and comes first, so
# that the others find the kernels that they share; so do long tests whose lines others cover.
# Coverage sees the compiler's side of kernels in COMPILER_TESTS.
UNCOVERED_TESTS := $(addprefix tests/sweep/training/test_,words.py trace.py traced_rows.py run.py until.py cluster_losses.py \
	compilers.py compiling.py effort.py resume.py) \
	$(addprefix tests/sweep/store/test_,one_digest.py crashes.py power.py io_errors.py full_disk.py kills.py contents.py \
	object_races.py object_studies.py object_interrupts.py object_faults.py processes.py) \
	$(addprefix tests/sweep/statistics/test_,statistics.py pooled.py importance.py steps.py paired_steps.py) \
	$(addprefix tests/sweep/figures/test_,looks.py kinds.py figures.py) $(addprefix tests/sweep/report/test_,page.py svg.py) \
	$(addprefix tests/sweep/study/test_,logspace.py toml_text.py fuzz.py) $(addprefix tests/sweep/cli/test_,process.py interpreted.py) \
	$(addprefix tests/sweep/verification/test_,verify.py forgers.py) tests/sweep/results/test_fixed_budgets.py \
	tests/sweep/system/test_floating_point.py tests/sweep/test_rooms.py \
	tests/accuracy tests/oracle tests/test_readme.py tests/test_tutorial.py
COMPILER_TESTS := $(addprefix tests/kernels/test_,compiling.py elementary.py lanes.py)
OTHER_TESTS := $(filter-out tests/kernels tests/__% tests/conftest.py $(UNCOVERED_TESTS),$(wildcard tests/*))

# What is compiled for other CPUs too: lanes, functions, initial weights, and steps taken in every way.
CPU_TESTS := $(addprefix tests/kernels/test_,lanes.py elementary.py initial_weights.py same_bits.py)
ifeq ($(shell uname -m),x86_64)
CPUS := generic $(if $(shell grep -m 1 -w avx2 /proc/cpuinfo 2>/dev/null),haswell)
endif

# The oldest versions of the dependencies, beside the newest.
OLDEST := .venv-oldest

.PHONY: run check test test-oldest soak lint bench docs clean

# The main job: train the xor study, print the answer and its table, write its report.
run: $(READY)
	$(BIN)/sweep run xor
	$(BIN)/sweep report results/xor

# Compare with every peer, each in its own process; BENCH=--quick for the short form.
bench: $(BENCH_READY)
	$(BIN)/sweep bench $(BENCH)

# The reference of the API, made of docstrings: build/docs/index.html.
docs: $(DOCS_READY)
	$(BIN)/python -m tests.reference build/docs

# What is quick: style, types, and the tests of kernels and words without the JIT.
check: lint
	NUMBA_DISABLE_JIT=1 $(TESTS) $(PLAIN_TESTS) tests/sweep/training/test_words.py

# Every check: also all tests with the JIT, coverage of both together, and kernels for other CPUs.
test: lint
	rm -rf $(TEST_CACHE)
	NUMBA_DISABLE_JIT=1 $(TESTS) --cov --cov-report= $(COVERED_TESTS)
	NUMBA_DISABLE_JIT=1 $(TESTS) $(addprefix --ignore=,$(COVERED_TESTS)) $(PLAIN_TESTS)
	XDG_CACHE_HOME=$(TEST_CACHE) $(TESTS) $(addprefix --ignore=,$(COMPILER_TESTS)) tests/kernels $(UNCOVERED_TESTS)
	XDG_CACHE_HOME=$(TEST_CACHE) $(TESTS) --cov --cov-report= --cov-append $(addprefix --ignore=,$(UNCOVERED_TESTS)) \
		$(COMPILER_TESTS) $(OTHER_TESTS)
	$(BIN)/coverage report --fail-under=95
	$(foreach cpu,$(CPUS),XDG_CACHE_HOME=$(TEST_CACHE) NUMBA_CPU_NAME=$(cpu) NUMBA_CPU_FEATURES= $(TESTS) $(CPU_TESTS) &&) true

# What is too long for every run: the product of all words, hundreds of kills, simulations, and for other CPUs all that
# `make test` compiles for this one; several hours on two cores.
soak: $(READY)
	NUMBA_DISABLE_JIT=1 $(TESTS) -m soak tests/kernels tests/sweep/verification/test_true_results.py tests/sweep/compositions
	XDG_CACHE_HOME=$(TEST_CACHE) $(TESTS) -m soak
	$(foreach cpu,$(CPUS),XDG_CACHE_HOME=$(TEST_CACHE) NUMBA_CPU_NAME=$(cpu) NUMBA_CPU_FEATURES= $(TESTS) tests/kernels &&) true
	$(foreach cpu,$(CPUS),XDG_CACHE_HOME=$(TEST_CACHE) NUMBA_CPU_NAME=$(cpu) NUMBA_CPU_FEATURES= $(TESTS) -m soak tests/kernels/test_same_bits.py &&) true

# The tests with the oldest versions that pyproject.toml allows.
test-oldest: $(OLDEST)/.ready
	XDG_CACHE_HOME=$(CURDIR)/$(OLDEST)/.test-cache $(OLDEST)/bin/pytest --numprocesses auto --dist worksteal

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(READY): pyproject.toml constraints.txt
	@echo "installing Python packages into $(VENV), about a minute .."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@
	@echo "installed"

$(BENCH_READY): $(READY)
	@echo "installing the peers of the benchmark into $(VENV), several minutes .."
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	@touch $@
	@echo "installed"

$(DOCS_READY): $(READY)
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	@touch $@

$(OLDEST)/.ready: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --constraint constraints-oldest.txt --editable '.[test]'
	touch $@

clean:
	rm -rf $(VENV) $(OLDEST) build dist .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis
