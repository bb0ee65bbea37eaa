# `make demo` and `make test` set everything up by themselves. Needs Python 3.11 or newer.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
DEMO := cases/demo
.PHONY: help setup test demo demo-recorded check wheel-test bench bench-peers validate validate-all criteria schema

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-14s %s\n", $$1, $$2 }'

setup: $(STAMP) ## virtual environment, system libraries, packages, models checked by SHA-256

$(STAMP): pyproject.toml .ci/bootstrap $(wildcard constraints/*.txt)
	@VENV=$(VENV) .ci/bootstrap
	@touch $@

test: setup ## run the tests
	$(BIN)/python -m pytest

# A folder that something else made is left alone.
demo: setup ## audit the bundled case `rebadged` on a live local model, in ./cases/demo
	@if [ -e $(DEMO) ] && [ ! -e $(DEMO)/.made-by-make-demo ]; then \
		echo "demo: $(DEMO) was not made by make demo; move it away first" >&2; exit 1; fi
	@rm -rf $(DEMO)
	@mkdir -p $(dir $(DEMO))
	$(BIN)/depose new $(DEMO) --from rebadged
	@touch $(DEMO)/.made-by-make-demo
	$(BIN)/depose audit $(DEMO)

demo-recorded: setup ## audit recorded transcripts of real models (needs ../shared/data)
	$(BIN)/python benchmarks/recorded.py

check: setup ## format, lint, types, import contracts, README, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/cog --check README.md
	$(BIN)/python -m pytest

criteria: setup ## the acceptance criteria of the report, each with the tests that check it
	@$(BIN)/python tests/criteria.py

schema: setup ## write docs/findings.schema.json
	$(BIN)/python -c 'from pathlib import Path; from depose.outputs import schema; Path("docs/findings.schema.json").write_bytes(schema())'

# The second environment sees the packages of the first through a .pth file, but has its own depose.
wheel-test: setup ## build the wheel, install it beside the packages of .venv, run the tests against it
	rm -rf build/wheel-test
	mkdir -p build/wheel-test
	$(BIN)/python -m build --wheel --outdir build/wheel-test .
	$(BIN)/python -m venv build/wheel-test/venv
	@wheel=$$(ls build/wheel-test/*.whl) && \
		build/wheel-test/venv/bin/python -m pip --disable-pip-version-check install -q --no-deps "$$wheel"
	@first=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') && \
		second=$$(build/wheel-test/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') && \
		echo "$$first" > "$$second/packages-of-first.pth"
	@build/wheel-test/venv/bin/python -c 'import depose, pathlib; \
		where = pathlib.Path(depose.__file__); print("wheel-test: depose is", where); \
		raise SystemExit("wheel-test" not in where.parts)'
	build/wheel-test/venv/bin/python -m pytest

bench: setup ## measure speed and memory against the targets
	@$(call study,benchmarks/bench.py)

bench-peers: setup ## rival tools on the same pairs, in an environment of their own (needs ../shared/data)
	$(BIN)/python benchmarks/peers/run.py

validate: setup ## known error rates on labelled models (alpaca_eval of ../shared/data)
	$(BIN)/python benchmarks/validate.py

validate-all: setup ## the same on every source of ../shared/data
	$(BIN)/python benchmarks/validate.py --all

define study
if [ ! -f $(1) ]; then echo "make $@: $(1) is not there yet" >&2; exit 1; fi; $(BIN)/python $(1)
endef
