# Everything from a fresh machine with Python and make: `make run`, `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Most tests wait for sockets, processes and clocks, not for a core.
PYTEST_WORKERS ?= 6
NAUTILUS := .venv-nautilus
PYTHONS ?= python3.11 python3.12 python3.13

.PHONY: run install install-dev test collect check format lint types contracts replay coverage matrix picture bench proof monitoring lock clean
.DEFAULT_GOAL := run

run: install  ## the console on the shipped profile
	@$(BIN)/arbtui --profile upbit-binance

install: $(VENV)/.installed  ## .venv with what running needs

install-dev: $(VENV)/.installed-dev  ## .venv with what testing needs, too

test: $(VENV)/.installed-dev  ## every test
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS)

# One process compiles what each worker of `make test` would otherwise compile for itself in a new checkout: 20 s of CPU a worker.
collect: $(VENV)/.installed-dev  ## every file of tests loads; runs none
	@told=$$($(BIN)/python -m pytest --collect-only -q) || { printf '%s\n' "$$told"; exit 1; }; printf '%s\n' "$$told" | tail -n 1

check: format lint types contracts  ## formatting, lint, types, import contracts

format: $(VENV)/.installed-dev  ## fails where `ruff format` would change a file
	$(BIN)/ruff format --check arbtui tests

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check arbtui tests

types: $(VENV)/.installed-dev
	$(BIN)/mypy

contracts: $(VENV)/.installed-dev
	$(BIN)/lint-imports --no-logo

replay: $(VENV)/.installed-dev  ## one seed, played twice, gives the same ledger byte for byte
	+.ci/replay-twice

coverage: $(VENV)/.installed-dev  ## which lines and branches no test runs, by file; a report, not a gate (COVERAGE=tests/journal for some)
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --cov --cov-report=term:skip-covered --cov-report=html $(COVERAGE)

# One .venv for each Python; what is not installed is named and skipped. Fails when any of them fails.
matrix:  ## every test under each installed Python of $(PYTHONS) (MATRIX=tests/model for some)
	@failed=""; ran=""; \
	for python in $(PYTHONS); do \
	    if ! $$python -c "" 2>/dev/null; then echo "arbtui: $$python is not installed: skipped"; continue; fi; \
	    ran="$$ran $$python"; \
	    echo "arbtui: tests under $$($$python -V)"; \
	    $(MAKE) --no-print-directory PYTHON=$$python VENV=.venv-$$python .venv-$$python/.installed-dev && \
	        .venv-$$python/bin/python -m pytest -n $(PYTEST_WORKERS) $(MATRIX) || failed="$$failed $$python"; \
	done; \
	test -n "$$ran" || { echo "arbtui: none of $(PYTHONS) is installed" >&2; exit 1; }; \
	test -z "$$failed" || { echo "arbtui: failed under$$failed" >&2; exit 1; }; \
	echo "arbtui: passed under$$ran"

picture: $(VENV)/.installed  ## docs/console.svg anew, from a real session
	$(BIN)/python docs/picture.py

bench: $(VENV)/.installed-dev  ## every figure of docs/performance.md, measured now (BENCH="--quick", "--json FILE", ...)
	@$(MAKE) --no-print-directory $(NAUTILUS)/.installed || \
	    echo "arbtui: $(NAUTILUS) could not be made (why is told above): the rows beside nautilus_trader are left out" >&2
	$(BIN)/python -m tests.bench $(BENCH)

proof: $(VENV)/.installed-dev  ## checks that take minutes to hours, resumable (PROOF="--list", "--ci", "mutation-risk --sample 30")
	nice $(BIN)/python -m tests.proof $(PROOF)

monitoring:  ## Prometheus and Alertmanager for the engines of this machine; docs/monitoring.md (MONITORING="--engine a=127.0.0.1:9464")
	@$(PYTHON) deploy/monitoring/start.py $(MONITORING)

# The marker files hold the lock they were made from, so that a changed lock, and only that, installs anew. The bigger
# set holds the smaller one, so whoever has it needs nothing more to run.
$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	@if ! cmp -s requirements.lock $@; then \
	    echo "arbtui: installing what running needs into $(VENV) (about a minute)" && \
	    $(PIP) install --require-hashes -r requirements.lock && \
	    $(PIP) install --no-deps --no-build-isolation --no-index --quiet -e . && \
	    cp requirements.lock $@; \
	fi
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	@if ! cmp -s requirements-dev.lock $@; then \
	    echo "arbtui: installing what testing needs into $(VENV) (a minute or two)" && \
	    $(PIP) install --require-hashes -r requirements-dev.lock && \
	    $(PIP) install --no-deps --no-build-isolation --no-index --quiet -e . && \
	    cp requirements-dev.lock $@ && cp requirements.lock $(VENV)/.installed; \
	fi
	@touch $@ $(VENV)/.installed

# What `make bench` compares with: used by nothing else, and the bench runs without it.
$(NAUTILUS)/.installed: tests/bench/nautilus.lock | $(BIN)/python
	@if ! cmp -s $< $@; then \
	    echo "arbtui: installing the peer of the bench into $(NAUTILUS) (700 MB, about a minute)" && \
	    $(BIN)/python -m venv $(NAUTILUS) && \
	    $(NAUTILUS)/bin/python -m pip --disable-pip-version-check install --quiet --retries 1 \
	        --only-binary :all: --require-hashes -r $< && \
	    cp $< $@ || { rm -rf $(NAUTILUS); exit 1; }; \
	fi
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	    echo "arbtui: $(PYTHON) is not installed; install Python 3.11, 3.12 or 3.13, or say which: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 13)))' || { \
	    echo "arbtui: $(PYTHON) is $$($(PYTHON) -V 2>&1); arbtui needs 3.11, 3.12 or 3.13. Say which: make PYTHON=python3.12" >&2; exit 1; }
	@echo "arbtui: making $(VENV) with $$($(PYTHON) -V 2>&1)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	    echo "arbtui: $(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

# Versions and hashes of every wheel for every platform, without the name of any host they came from.
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe \
    --no-annotate --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
    --build-deps-for editable
lock: $(VENV)/.installed-dev  ## both locks anew from pyproject.toml (UPGRADE=--upgrade for newer versions)
	$(COMPILE) $(UPGRADE) --output-file requirements.lock pyproject.toml
	$(COMPILE) $(UPGRADE) --extra dev --output-file requirements-dev.lock pyproject.toml

clean:  ## what can be made again; never state
	rm -rf $(VENV) $(PYTHONS:%=.venv-%) $(NAUTILUS) dist build htmlcov .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
