# `make run` and `make test` need nothing but Python 3.11 or newer: they make .venv themselves.

SHELL := /bin/sh
PY := .venv/bin/python
RUN_READY := .venv/.ready-to-run
DEV_READY := .venv/.ready-to-test
PYTEST := $(PY) -m pytest
CORES ?= 2
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.PHONY: run test test-long check bench bench-pages bundle example results tune auto docs setup clean help

help:
	@echo "make run       the lab, in a browser"
	@echo "make test      the checks, and every test that is quick (CORES=2 side by side)"
	@echo "make test-long the tests that take long: faults, load, browser, fuzzing"
	@echo "make check     format, lint, types, layers"
	@echo "make bench     how long a run takes here, alone and beside busy programs"
	@echo "make bench-pages how long the pages take here, for few and many visitors (ARGS=--quick)"
	@echo "make bundle    what ships in assets, in so far as it is missing (ARGS='--source DIR --golds 2')"
	@echo "make example   the finished runs and the sweep that ship, in so far as they are missing"
	@echo "make docs      the pages of docs that are made from the code"
	@echo "make results   RESULTS.md: every method measured, in so far as it changed"
	@echo "make tune      trials around each preset, on other requests (ARGS='--minutes 30 --only ssd')"
	@echo "make auto      how often the preset auto succeeds (ARGS='--minutes 30 --only mlp-moons')"
	@echo "make clean     removes .venv, caches and unfinished trainings, never the data folder"

run: $(RUN_READY)
	@$(PY) -m unlearn_core serve -- $(ARGS)

test: check
	$(PYTEST) -m "not slow and not gpu" -n $(CORES) --dist loadfile

test-long: $(DEV_READY)
	$(PYTEST) -m "slow and not gpu"

check: $(DEV_READY)
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	$(PY) -m tests.architecture.linted
	.venv/bin/pyright
	.venv/bin/lint-imports

bench: $(RUN_READY)
	@$(PY) -m unlearn_core bench $(ARGS)
	@$(if $(ARGS),true,$(PY) -m unlearn_core bench --neighbours)

bench-pages: $(RUN_READY)
	@$(PY) -m unlearn_core.benchmarks.pages.bench_pages $(ARGS)

results: $(RUN_READY)
	@$(PY) -m unlearn_core results $(ARGS)

tune: $(RUN_READY)
	@$(PY) -m unlearn_core tune $(ARGS)

auto: $(RUN_READY)
	@$(PY) -m unlearn_core auto $(ARGS)

docs: $(RUN_READY)
	@$(PY) -m unlearn_core.benchmarks.make_docs

example: $(RUN_READY)
	@$(PY) -m unlearn_core.benchmarks.examples.make_shipped

bundle: $(RUN_READY)
	@$(PY) -m unlearn_core bundle $(ARGS)

setup: $(DEV_READY)

clean:
	rm -rf .venv build .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN_READY): requirements.txt | $(PY)
	@$(INSTALL)
	@touch $@

$(DEV_READY): requirements.txt requirements-dev.txt | $(PY)
	@$(INSTALL)
	@touch $(RUN_READY) $@

# Into .venv with uv where there is one, else with pip; what is there already is left alone.
define INSTALL
wanted=$(if $(filter $(DEV_READY),$@),requirements-dev.txt,requirements.txt); \
echo "Setting up .venv from $$wanted ..."; \
if command -v uv >/dev/null 2>&1; then uv pip install --quiet --compile-bytecode --python $(PY) -r $$wanted; \
else $(PY) -m pip --version >/dev/null 2>&1 || $(PY) -m ensurepip --upgrade >/dev/null; \
	$(PY) -m pip install --quiet --disable-pip-version-check -r $$wanted; fi
endef

# PYTHON names an interpreter; otherwise the first one on the path that is new enough is taken.
$(PY):
	@found=; for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "Unlearn Lab needs Python 3.11 or newer, and there is none here ($$(python3 --version 2>&1))." >&2; \
		echo "Install one, or name it: make $(or $(MAKECMDGOALS),run) PYTHON=/path/to/python3.12" >&2; exit 1; \
	fi; \
	rm -rf .venv; \
	if command -v uv >/dev/null 2>&1; then uv venv --quiet --python "$$found" .venv; else "$$found" -m venv .venv; fi \
	|| { rm -rf .venv; exit 1; }
