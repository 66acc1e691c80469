# Each goal sets up what it needs: a fresh machine with Python 3.11+ is enough.

# Tests are many processes, which read each other's compiled sources.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ALL_READY := $(VENV)/.all-ready
BENCH_READY := $(VENV)/.bench-ready
DOCS_READY := $(VENV)/.docs-ready
ORACLES_READY := $(VENV)/.oracles-ready

# Compiled kernels of the tests: a cache of their own, which is empty at first.
TEST_CACHE := $(CURDIR)/$(VENV)/.test-cache

# Tests next to each other share kernels: processes start with a stretch each, and later take from each other's.
# There are as many processes as CPUs: each takes ten seconds and more to import, to collect and to compile its first kernel.
TESTS = $(BIN)/pytest --dist worksteal --numprocesses logical

# Kernels without the JIT are NumPy, with the same bits; with it each takes seconds to compile.
PLAIN = NUMBA_DISABLE_JIT=1 $(TESTS)
COMPILED = XDG_CACHE_HOME=$(TEST_CACHE) $(TESTS)

# Rings of tests, each within the next: quick, test, test-all, soak. Markers, which pyproject.toml explains, say in which a
# test is, and tests/test_rings.py checks that none is lost. Quick looks in these folders.
QUICK_TESTS := tests/golden tests/kernels $(addprefix tests/sweep/,study statistics schedule store cli)

# What takes many kernels runs without the JIT, and only some of it with it.
PLAIN_TESTS := tests/kernels tests/sweep/training/test_run.py::test_every_run_as_the_oracle \
	tests/sweep/training/test_sharpness.py tests/sweep/training/test_options.py tests/sweep/compositions

# What is compiled for other CPUs too: lanes, functions, initial weights, and steps taken in every way.
CPU_TESTS := $(addprefix tests/kernels/test_,lanes.py elementary.py initial_weights.py same_bits.py)
ifeq ($(shell uname -m),x86_64)
CPUS := generic $(if $(shell grep -m 1 -w avx2 /proc/cpuinfo 2>/dev/null),haswell)
endif

# The oldest versions of the dependencies, beside the newest.
OLDEST := .venv-oldest

# Another version of Numba, with the NumPy that it wants: make test-numba NUMBA=0.64.0. 0.67.0 is only the default.
NUMBA ?= 0.67.0
OTHER_NUMBA := build/numba-$(NUMBA)

# Debian's Python for 64-bit ARM, the wheels that pip takes there, and tests that compile some ten kernels.
ARM := build/arm
ARM_PYTHON := 3.13
ARM_TESTS := tests/machines tests/sweep/training/test_trace.py::test_losses_of_the_notebook \
	$(addprefix tests/kernels/test_,tuning.py lanes.py elementary.py initial_weights.py::test_bits_of_numpy)

.PHONY: run quick quick-tests test plain-tests test-all coverage test-oldest test-numba test-arm soak lint published bench docs dist clean

# The main job: train the xor study, print the answer and its table, write its report.
run: $(READY)
	$(BIN)/sweep run xor
	$(BIN)/sweep report results/xor

# Train the studies of published experiments, compare, and write the page of the manual with their tables and pictures.
published: $(READY)
	$(BIN)/sweep reproduce --page docs/findings/published.md

# Compare with every peer, each in its own process; BENCH=--quick for the short form.
bench: $(BENCH_READY)
	$(BIN)/sweep bench $(BENCH)

# The manual: build/docs/index.html. Examples are run, and warnings and broken links are errors.
docs: $(DOCS_READY)
	$(BIN)/python -m sphinx --quiet --fresh-env --fail-on-warning --keep-going docs build/docs

# While you work: style, types, and quick tests without the JIT.
quick: $(ALL_READY)
	$(MAKE) --jobs 2 lint quick-tests

quick-tests: $(READY)
	$(PLAIN) -m "not slow and not wide and not soak" $(QUICK_TESTS)

# Most guarantees once, slow ones left out: each test either without the JIT or with it, whichever takes less time.
test: plain-tests
	rm -rf $(TEST_CACHE)
	$(COMPILED) -m "compiled and not wide and not soak"

plain-tests: $(READY)
	$(PLAIN) -m "not compiled and not wide and not soak"

# Style, types, every case, both ways, and kernels for other CPUs.
test-all: $(ALL_READY) lint test
	$(PLAIN) -m "(compiled or wide) and not soak" $(PLAIN_TESTS)
	$(COMPILED) -m "(not compiled or wide) and not soak"
	$(foreach cpu,$(CPUS),NUMBA_CPU_NAME=$(cpu) NUMBA_CPU_FEATURES= $(COMPILED) $(CPU_TESTS) &&) true

# Which lines the tests of test-all run, of kernels without the JIT. Counting takes a third of their time more.
coverage: $(ALL_READY)
	$(PLAIN) --cov --cov-report= $(PLAIN_TESTS)
	$(COMPILED) --cov --cov-report= --cov-append
	$(BIN)/coverage report --fail-under=95

# What is too long for every run: the product of all options, hundreds of kills, simulations, and for other CPUs all that
# test-all compiles for this one; and statistics that other packages compute too. 3.5 to 4 hours on two cores.
soak: $(ORACLES_READY) coverage
	$(PLAIN) -m soak tests/kernels tests/sweep/compositions
	$(COMPILED) -m soak
	$(foreach cpu,$(CPUS),NUMBA_CPU_NAME=$(cpu) NUMBA_CPU_FEATURES= $(COMPILED) tests/kernels &&) true
	$(foreach cpu,$(CPUS),NUMBA_CPU_NAME=$(cpu) NUMBA_CPU_FEATURES= $(COMPILED) -m soak tests/kernels/test_same_bits.py &&) true

# The tests of `make test`, of object stores and of clusters with the oldest versions that pyproject.toml allows. Other wide
# tests are left out, since they call the same functions of other packages with other values.
OLDEST_TESTS = $(OLDEST)/bin/pytest --dist worksteal --numprocesses logical
test-oldest: $(OLDEST)/.ready
	NUMBA_DISABLE_JIT=1 $(OLDEST_TESTS) -m "not compiled and not wide and not soak"
	XDG_CACHE_HOME=$(CURDIR)/$(OLDEST)/.test-cache $(OLDEST_TESTS) -m "compiled and not wide and not soak"
	XDG_CACHE_HOME=$(CURDIR)/$(OLDEST)/.test-cache $(OLDEST_TESTS) -m "wide and not soak" \
		$(addprefix tests/sweep/,store/test_object*.py training/test_cluster*.py \
		training/test_children.py::test_forks_and_object_stores verification/test_repair.py::test_leftovers_in_an_object_store)

# What depends on Numba: compiled kernels, and other users of Numba in the process.
OTHER_TESTS = XDG_CACHE_HOME=$(CURDIR)/$(OTHER_NUMBA)/cache $(OTHER_NUMBA)/bin/pytest --dist worksteal --numprocesses logical
test-numba: $(OTHER_NUMBA)/.ready
	$(OTHER_TESTS) -m "compiled and not wide and not soak" tests/kernels
	$(OTHER_TESTS) -m "wide and not soak" tests/kernels/test_other_users.py
	XDG_CACHE_HOME=$(CURDIR)/$(OTHER_NUMBA)/cache $(OTHER_NUMBA)/bin/sweep run xor --out $(OTHER_NUMBA)/xor --overwrite | \
		grep "^digest d066c6699c89"

# The digests of x86-64 on 64-bit ARM, whose CPU is emulated (qemu-user-static), in a Debian that mmdebstrap unpacks without
# installing it. On ARM itself `make test` does more.
test-arm: $(ARM)/.ready
	XDG_CACHE_HOME=$(CURDIR)/$(ARM)/cache PYTHONPATH=$(CURDIR):$(CURDIR)/$(ARM)/packages $(ARM)/python -m pytest \
		-p no:cacheprovider --dist load --tx '$(shell nproc)*popen//python=$(CURDIR)/$(ARM)/python' \
		-m "not slow and not wide and not soak" $(ARM_TESTS)

# The source archive and the wheel, which is tried in an environment without this checkout: dist/.
dist:
	rm -rf dist build/wheel
	$(PYTHON) -m venv build/wheel
	build/wheel/bin/python -m pip install --disable-pip-version-check build
	build/wheel/bin/python -m build
	build/wheel/bin/python -m pip install --disable-pip-version-check --constraint constraints.txt dist/*.whl
	cd build/wheel && bin/sweep run xor --out xor --overwrite | grep "^digest d066c6699c89"

lint: $(ALL_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# As pip would, but on all CPUs, without tests, moto and mypy, of which little is imported. Templates do not compile.
COMPILE_PACKAGES = echo "compiling Python packages: ten seconds or more .."; $(BIN)/python -m compileall -qq -j 0 -x '/(tests|moto|mypyc?)/' $(VENV)/lib || true

$(READY): pyproject.toml constraints.txt
	@echo "installing Python packages into $(VENV): a minute or two .."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check --no-compile --constraint constraints.txt --editable '.[test]'
	@$(COMPILE_PACKAGES)
	@touch $@
	@echo "installed"

$(ALL_READY): $(READY)
	@echo "installing what only lint and test-all need into $(VENV) .."
	@$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[test-all]'
	@$(COMPILE_PACKAGES)
	@touch $@

$(BENCH_READY): $(READY)
	@echo "installing the peers of the benchmark into $(VENV), several minutes .."
	@$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	@touch $@
	@echo "installed"

$(ORACLES_READY): $(READY)
	@echo "installing the packages whose statistics are compared with ours into $(VENV) .."
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[oracles]'
	@touch $@

$(DOCS_READY): $(READY)
	@echo "installing what builds the manual into $(VENV) .."
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	@touch $@

$(OLDEST)/.ready: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --constraint constraints-oldest.txt --editable '.[test-all]'
	touch $@

$(OTHER_NUMBA)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(OTHER_NUMBA)
	grep --invert-match --extended-regexp "^(numba|llvmlite|numpy)==" constraints.txt > $(OTHER_NUMBA)/constraints.txt
	$(OTHER_NUMBA)/bin/python -m pip install --quiet --constraint $(OTHER_NUMBA)/constraints.txt --editable '.[test]' numba==$(NUMBA)
	touch $@

# A Cortex-A72 has NEON and no more; code that signs pointers, as newer CPUs run it, is slow to emulate.
$(ARM)/.ready: pyproject.toml constraints.txt $(READY)
	rm -rf $(ARM)
	mkdir -p $(ARM)
	mmdebstrap --quiet --variant=extract --architectures=arm64 --include=python3,libstdc++6 trixie $(ARM)/system
	ln -s usr/lib $(ARM)/system/lib
	$(BIN)/python -m pip install --quiet --target $(ARM)/packages --only-binary=:all: --python-version $(ARM_PYTHON) \
		$(addprefix --platform=,manylinux2014_aarch64 manylinux_2_27_aarch64 manylinux_2_28_aarch64) \
		--constraint constraints.txt . pytest pytest-xdist hypothesis
	printf '#!/bin/sh\nexec qemu-aarch64-static -cpu cortex-a72 -L %s %s/usr/bin/python3 "$$@"\n' \
		$(CURDIR)/$(ARM)/system $(CURDIR)/$(ARM)/system > $(ARM)/python
	chmod +x $(ARM)/python
	touch $@

clean:
	rm -rf $(VENV) $(OLDEST) build dist docs/figures docs/reference/api .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis
