# Everything that is done to Textbridge by hand. Each target sets up what it needs in .venv by itself, from a plain
# python3 (3.11 to 3.14); `make demo PYTHON=/path/to/python3` chooses another. Options for the program or for pytest
# go into ARGS: `make test ARGS="-k optouts"`, `make demo ARGS="--port 9000"`.

.DEFAULT_GOAL := help
.PHONY: help demo run test chaos check lint format-check types floors house audit bench fuzz lock clean
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

python := .venv/bin/python
runtime := .venv/.installed-runtime
dev := .venv/.installed-dev
fuzzer := .venv/.installed-fuzz

help: ## show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z][a-z-]*:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(runtime) ## everything simulated, nothing to sign up for: opens at the address that it prints
	@$(python) -m bot demo $(ARGS)

run: $(runtime) ## the real thing, with the settings of the environment and .env
	@$(python) -m bot serve $(ARGS)

test: $(dev) ## all tests; those of the page need Chromium and are skipped, saying so, where there is none
	@$(python) -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal $(ARGS)

check: lint format-check types floors house audit ## lint, format, types, floors, house rules, known vulnerabilities (make -k check tells all at once)

lint: $(dev)
	@$(python) -m ruff check --output-format concise .

format-check: $(dev)
	@$(python) -m ruff format --check --output-format concise .

types: $(dev)
	@$(python) -m mypy

floors: $(dev)
	@$(python) -c "from importlinter.cli import lint_imports_command; lint_imports_command()" --no-logo

house: $(dev)
	@$(python) tools/check_house.py

audit: $(dev)
	@$(python) tools/audit_packages.py

bench: $(dev) ## how much it carries, and how fast
	@$(python) -m benchmarks $(ARGS)

chaos: $(dev) ## the real process killed at random while texts flow, some minutes (ARGS="--seconds 3600 --seed 7")
	@$(python) -m tests.chaos $(ARGS)

fuzz: $(dev) $(fuzzer) ## what strangers can write to, guided by coverage (SECONDS=600: each so long), then the pure parts and the machines
	@$(python) -m tests.fuzz --seconds $(or $(SECONDS),60) $(TARGETS)
	@$(python) -m pytest --hypothesis-profile=fuzz --timeout=0 tests/pure tests/machines $(ARGS)

lock: $(dev) ## write the lock files anew from pyproject.toml (UPGRADE=1: with the newest of everything)
	@UPGRADE=$(UPGRADE) sh tools/lock.sh

clean: ## remove .venv, caches and builds; data/ stays
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find bot handlers storage tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------------------------------------- set-up

$(python):
	@PYTHON="$(PYTHON)" sh tools/set-up.sh venv $(firstword $(MAKECMDGOALS))

$(runtime): requirements.lock $(python)
	@sh tools/set-up.sh runtime

$(dev): requirements.lock requirements-dev.lock $(python)
	@sh tools/set-up.sh dev

$(fuzzer): requirements-fuzz.lock $(dev)
	@sh tools/set-up.sh fuzz
