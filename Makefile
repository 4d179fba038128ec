# Everything a developer does, one word each. Nothing is needed beforehand but Python 3.11 or newer, make and git.
# Any target takes more arguments in ARGS: make test ARGS='tests/unit -k lifecycle'.

PYTHON   ?= python3
ARGS     ?=
VENV     := .venv
BIN      := $(VENV)/bin
STAMP    := $(VENV)/.installed
PROJECTS := pyproject.toml generated/pyproject.toml clients/pyproject.toml
TYPES    := clients/typescript/package.json clients/typescript/package-lock.json

.DEFAULT_GOAL := help
.PHONY: help setup run demo test chaos fuzz check gates gen baseline lock lint fmt types coverage conformance bench sdk cases
.PHONY: simulate clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## Create .venv with every pinned dependency and this tree installed in it
# Renewed only when what it was made from changes; a broken attempt leaves no stamp and is repeated.
$(STAMP): requirements.lock $(PROJECTS) $(TYPES)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is `$(PYTHON) --version 2>&1`." \
	       "Name another one: make setup PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation \
	  --editable ./generated --editable ./clients --editable .
	$(BIN)/python -m tools.typescript.compiler
	@touch $@

run: setup ## Start the server: gRPC on 127.0.0.1:50051, HTTP on 127.0.0.1:3000, data in ./data
	@exec $(BIN)/llm-incident-manager serve $(ARGS)

demo: setup ## Start a server, replay a day of LLM events into it and show what to look at
	@exec $(BIN)/python -m examples.demo $(ARGS)

test: setup ## Run the tests
	$(BIN)/python -m pytest $(ARGS)

# The long profile takes most of an hour, ci some minutes; full is long with 200 kills and 100,000 acknowledged events.
PROFILE ?= long
FAULTS  ?=
chaos: SEED ?= 20261122
chaos: setup ## Break processes, disks, databases and networks under load: make chaos PROFILE=ci FAULTS=1,12 SEED=7
	@$(BIN)/python -m chaos --profile $(PROFILE) --seed $(SEED) $(if $(FAULTS),--faults $(FAULTS)) $(ARGS)

# As many seeds from 1 on, a range, or one: make simulate SEEDS=10000, make simulate SEEDS=40..60, make simulate SEED=17.
SEEDS ?= 500
simulate: setup ## Run servers on virtual time, with every fault that their seed says: make simulate SEEDS=500, or SEED=17
	@exec $(BIN)/python -m simulation $(if $(SEED),$(SEED)..$(SEED),$(SEEDS)) $(ARGS)

fuzz: setup ## Let schemathesis look for answers that /openapi.json does not name, on every path, for some minutes
	TEST_SIZE=full $(BIN)/python -m pytest tests/rest/test_fuzzed.py $(ARGS)

check: gates ## Everything that must hold before a commit: all gates, then the tests, none skipped
	$(BIN)/python -m pytest --no-skips $(ARGS)

gates: setup ## The part of check without the tests
	$(BIN)/python -m tools.generate --check
	$(BIN)/python -m tools.blocking --check
	$(BIN)/python -m tools.apidocs --check
	$(BIN)/python -m tools.typescript --check
	$(BIN)/python -m tools.graphql_schema --check
	$(BIN)/python -m tools.lock --check
	$(BIN)/python -m tools.contract check
	$(BIN)/python -m tools.statements
	$(BIN)/python -m tools.secret_scan
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

gen: setup ## Generate what follows from the .proto files: generated/, blocking clients, TypeScript, GraphQL, docs/api*.md, /docs
	$(BIN)/python -m tools.generate
	$(BIN)/python -m tools.blocking
	$(BIN)/python -m tools.apidocs
	$(BIN)/python -m tools.typescript
	$(BIN)/python -m tools.graphql_schema

baseline: setup ## Accept the contract as it is: later changes must not break it
	$(BIN)/python -m tools.contract accept

lock: setup ## Pin all dependencies anew after a change to a pyproject.toml; ARGS=--upgrade moves every pin
	$(BIN)/python -m tools.lock $(ARGS)
	@$(MAKE) --no-print-directory setup

lint: setup ## Lint the code, the imports between packages and the .proto files
	$(BIN)/ruff check . $(ARGS)
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tools.contract lint

fmt: setup ## Format the code and the .proto files, and fix what the linter can fix
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	$(BIN)/python -m tools.contract format

types: setup ## Check types
	$(BIN)/mypy $(ARGS)

coverage: setup ## Branch coverage of domain, engines and pipeline; fails below 90 %
	@$(BIN)/python -m tools.covered $(ARGS)

conformance: setup ## Run the store's tests on every back end; prints how many passed on each
	$(BIN)/python -m pytest -q tests/conformance $(ARGS)

bench: setup ## Measure throughput and latency; prints JSON lines
	@exec $(BIN)/python -m bench $(ARGS)

sdk: setup ## Build what applications install, generated code and client, into dist/; ARGS=--server adds the server
	$(BIN)/python -m tools.sdk $(ARGS)

# Other systems' expectations lie beside the repository; any folder or file of their formats will do.
DIR ?= ../shared/cases
cases: setup ## Run other systems' expectations: make cases DIR=../shared/cases
	@$(BIN)/python -m cases $(DIR) $(ARGS)

clean: ## Remove caches and the virtual environment; ./data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -prune -exec rm -rf {} + -o -name '*.egg-info' -prune -exec rm -rf {} +
