# Everything a person needs: `make demo`, `make test`, `make setup`. Works in GNU make 3.81 and later.
# PYTHON=/path/to/python chooses the interpreter (3.11 or later) that the environment is made from.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

# A PYTHONPATH or PYTHONHOME of the caller would put foreign modules before ours; a user install would leave the environment.
unexport PYTHONPATH PYTHONHOME
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_USER := 0

# Paths are relative throughout: make cannot hold a name with a space, so the folder's own name never appears in a rule.
BIN := .venv/bin
PY := $(BIN)/python
HOME_STAMP := .venv/.place
RUN_STAMP := .venv/.ready-to-run
DEV_STAMP := .venv/.ready-to-develop
TEST_WORKERS ?= 2
UV_VERSION := 0.13.9

# An environment works only where it was made and with the Python it was made from: moved or broken, it is made again.
STALE := $(shell if [ -f $(HOME_STAMP) ]; then \
	[ "$$(cat $(HOME_STAMP))" = "$$(pwd -P)" ] && $(PY) -c '' 2>/dev/null || echo stale; fi)
ifneq ($(STALE),)
.PHONY: $(HOME_STAMP)
endif

SOURCES := $(wildcard connectors sync mappings config benchmarks tests)

.PHONY: help
help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

.PHONY: setup
setup: $(RUN_STAMP) ## prepare .venv with the `hypercare` command in it

.PHONY: demo
demo: setup ## run the main job on stand-ins of four systems, and watch
	@$(BIN)/hypercare demo $(DEMO_ARGS)

.PHONY: test
test: setup-dev ## run all tests (PYTEST_ARGS="-k name" for some)
	@$(PY) -m pytest --import-mode=importlib -n $(TEST_WORKERS) $(PYTEST_ARGS)

.PHONY: lint
lint: lint-style lint-format lint-types lint-types-again lint-layers ## run every linter (make -k lint: go on after a failure)

.PHONY: bench
bench: setup-dev ## measure against the stand-ins (minutes)
	@$(PY) -m benchmarks $(BENCH_ARGS)

.PHONY: simulate
simulate: setup-dev ## play seeded histories with faults and crashes (SIMULATE_ARGS="--histories 1000 --seed 7")
	@$(BIN)/hypercare simulate --processes 2 $(SIMULATE_ARGS)

.PHONY: prove prove-histories prove-liveness
prove: prove-histories prove-liveness mutants fuzz kills ## a release's worth of everything here but the soak (about an hour on 2 cores; make -k prove: go on after a failure)
prove-histories: setup-dev
	@$(BIN)/hypercare simulate --processes 2 --histories 2000 --pure 200000 $(PROVE_ARGS)
prove-liveness: setup-dev
	@$(BIN)/hypercare simulate --processes 2 --mode liveness --histories 50 --contract 300 --pure 0 $(PROVE_ARGS)

.PHONY: kills
kills: setup-dev ## kill the daemon 500 times between the stand-ins, and look for what was lost or doubled (half an hour)
	@$(PY) -m tests.proof.kills $(KILLS_ARGS)

.PHONY: soak
soak: setup-dev ## 100,000 changes over a bad network: nothing lost, nothing doubled, nothing that grows (an hour)
	@$(PY) -m tests.proof.soak $(SOAK_ARGS)

.PHONY: fuzz
fuzz: setup-dev ## hostile input in bulk, and a thousand slow senders (FUZZ_ARGS="--cases 1000000")
	@$(PY) -m tests.proof.fuzz $(FUZZ_ARGS)
	@$(PY) -m tests.proof.fuzz --senders 1000

.PHONY: mutants
mutants: setup-dev ## plant every known defect and see that it is found (MUTANTS_ARGS="--only ladder")
	@$(PY) -m tests.proof.mutants $(MUTANTS_ARGS)

.PHONY: mutation-score
mutation-score: setup-dev ## mutate the pure core and count what its tests notice (about half an hour)
	@$(PY) -m mutmut run --max-children $(TEST_WORKERS) > /dev/null 2>&1; $(PY) -m tests.proof.score

CORE_COVERAGE := build/coverage/core
.PHONY: core-coverage
core-coverage: setup-dev ## branch coverage of the pure core by its own tests: fails below 100 %
	@rm -rf build/coverage && mkdir -p build/coverage
	@$(PY) -m coverage run --source=sync.core --data-file=$(CORE_COVERAGE) \
	    -m pytest --import-mode=importlib -q -p no:cacheprovider tests/sync/core
	@$(PY) -m coverage report --data-file=$(CORE_COVERAGE) --show-missing --skip-covered --fail-under=100

.PHONY: setup-dev
setup-dev: $(DEV_STAMP) ## add what tests and linters need

.PHONY: lint-style lint-format lint-types lint-types-again lint-layers
lint-style: setup-dev
	@echo "ruff check"; $(BIN)/ruff check $(SOURCES)
lint-format: setup-dev
	@echo "ruff format --check"; $(BIN)/ruff format --check $(SOURCES)
lint-types: setup-dev
	@echo "mypy --strict"; $(PY) -m mypy --strict $(SOURCES)
lint-types-again: setup-dev
	@echo "pyright"; $(PY) -m pyright --pythonpath $(PY) $(SOURCES)
lint-layers: setup-dev
	@echo "lint-imports"; $(BIN)/lint-imports

.PHONY: lock
lock: $(HOME_STAMP) ## resolve the dependencies anew: writes the three lock files
	@$(PY) -m venv build/lock && build/lock/bin/python -m pip install --quiet uv==$(UV_VERSION)
	@$(call COMPILE,--group build --extra cel) -o requirements.lock
	@$(call COMPILE,--group build -c requirements.lock) -o requirements-musl.lock
	@$(call COMPILE,--group build --group dev --extra cel -c requirements.lock) -o requirements-dev.lock

# No index address and no machine's path gets into a lock; the header names this command instead.
COMPILE = build/lock/bin/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" $(1)

.PHONY: clean
clean: ## remove caches and built files; keeps .venv and your data
	rm -rf build dist bench-results mutants .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find $(SOURCES) -type d -name __pycache__ -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## clean, and remove .venv too
	rm -rf .venv

$(HOME_STAMP):
	@python="$(PYTHON)"; \
	if [ -z "$$python" ]; then \
	    for name in python3 python3.13 python3.12 python3.11 python; do \
	        if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	    done; \
	fi; \
	if [ -z "$$python" ]; then \
	    echo "hypercare needs Python 3.11 or later; python3 here is: $$(python3 --version 2>&1 || true)" >&2; \
	    echo "Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi; \
	if ! "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	    echo "PYTHON=$$python is not a Python 3.11 or later: $$("$$python" --version 2>&1 || true)" >&2; exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "$$python cannot make virtual environments: its venv or ensurepip module is missing." >&2; \
	    echo "Debian and Ubuntu: install the package python3-venv. Or name another one: make $(MAKECMDGOALS) PYTHON=..." >&2; exit 1; \
	fi; \
	if [ -n "$(STALE)" ] || ! $(PY) -m pip --version >/dev/null 2>&1 \
	|| ! $(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	    echo "Making .venv from $$("$$python" --version)"; \
	    "$$python" -m venv --clear .venv; \
	fi
	@pwd -P > $@

# Two stamps, so that a second run is one comparison of times. `--no-index` for ourselves: nothing unlocked comes in.
$(RUN_STAMP): requirements.lock requirements-musl.lock pyproject.toml $(HOME_STAMP)
	@echo "Installing what hypercare needs into .venv (once; a minute or so)"
	@lock=$$($(PY) -c 'import sysconfig as s; print("-musl" if "musl" in (s.get_config_var("SOABI") or "") else "")'); \
	$(PY) -m pip install --quiet --require-hashes -r requirements$$lock.lock
	@$(PY) -m pip install --quiet --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_STAMP): requirements-dev.lock $(RUN_STAMP)
	@echo "Installing what tests and linters need into .venv (once; a minute or so)"
	@$(PY) -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@
