# `make demo` and `make test` set everything up by themselves. Needs Python 3.11 or newer.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
DEMO := cases/demo
LINEUP := cases/lineup
LAB := out/lab
BANK := ~/.cache/depose/bank # of bench-same
unexport PYTHONDONTWRITEBYTECODE # else every process that a test starts compiles all of depose again
PARALLEL := -n logical --maxprocesses 4 --dist worksteal # of pytest: a worker needs up to 2 GB
.PHONY: help setup test test-slow demo demo-audit demo-recorded check wheel-test bench bench-peers bench-endpoints faults validate validate-all \
	cases statuses tamper soak bench-custody bench-leaks lab lab-fast lab-kit criteria schema bench-embedding bench-weights gpu kernel bench-batch bench-report bench-lineup bench-same bench-same-lab bench-same-peers bench-watch \
	docs pages pictures coverage evaluations selection centring-study classifier-study values-study bare-words-study opinions-bare-words era-study controls-study bench-extraction extraction-level extraction-kills bench-weights-peers bench-weights-rates journeys dist image \
	demo-lineup lineup-case lineup-study lineup-drift lineup-lab lab-pack first-report

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-14s %s\n", $$1, $$2 }'

setup: $(STAMP) ## virtual environment, system libraries, packages, models checked by SHA-256

$(STAMP): pyproject.toml .ci/bootstrap $(wildcard constraints/*.txt)
	@VENV=$(VENV) .ci/bootstrap
	@touch $@

test: setup ## run the tests, but for the slow ones
	$(BIN)/python -m pytest $(PARALLEL)

test-slow: setup ## run the slow tests: whole studies, live models, many kills
	$(BIN)/python -m pytest $(PARALLEL) -m slow

# A folder that something else made is left alone.
demo: demo-audit demo-lineup ## both of the next two: a whole audit, and a line-up, of live local models

demo-audit: setup ## audit the bundled case `distilled` on live local models, in ./cases/demo
	@if [ -e $(DEMO) ] && [ ! -e $(DEMO)/.made-by-make-demo ]; then \
		echo "demo: $(DEMO) was not made by make demo; move it away first" >&2; exit 1; fi
	@rm -rf $(DEMO)
	@mkdir -p $(dir $(DEMO))
	$(BIN)/depose new $(DEMO) --from distilled
	@touch $(DEMO)/.made-by-make-demo
	$(BIN)/depose audit $(DEMO)

# The owner's log and coin leave the case folder before anybody scores; the key never enters it before the scores are sealed.
demo-lineup: setup ## the line-up of the bundled case `exposed` on live local models, in ./cases/lineup
	@if [ -e $(LINEUP) ] && [ ! -e $(LINEUP)/.made-by-make-demo ]; then \
		echo "demo: $(LINEUP) was not made by make demo; move it away first" >&2; exit 1; fi
	@rm -rf $(LINEUP)
	@mkdir -p $(LINEUP)/owner
	@touch $(LINEUP)/.made-by-make-demo
	$(BIN)/depose new $(LINEUP)/case --from exposed
	mv $(LINEUP)/case/thrown.jsonl $(LINEUP)/case/coin.key $(LINEUP)/owner/
	$(BIN)/depose register $(LINEUP)/case
	$(BIN)/depose lineup unfold $(LINEUP)/owner/thrown.jsonl --coin $(LINEUP)/owner/coin.key --out $(LINEUP)/owner/files
	$(BIN)/depose lineup build $(LINEUP)/case --deliveries $(LINEUP)/owner/files/deliveries.jsonl \
		--decoys $(LINEUP)/owner/files/decoys.jsonl --key $(LINEUP)/owner/key.json
	$(BIN)/depose lineup seal $(LINEUP)/case --key $(LINEUP)/owner/key.json --custodian "make demo"
	$(BIN)/depose lineup score $(LINEUP)/case
	$(BIN)/depose lineup seal $(LINEUP)/case
	$(BIN)/depose lineup open $(LINEUP)/case --key $(LINEUP)/owner/key.json \
		--thrown $(LINEUP)/owner/thrown.jsonl --coin $(LINEUP)/owner/coin.key
	$(BIN)/depose lineup test $(LINEUP)/case
	$(BIN)/depose report $(LINEUP)/case

demo-recorded: setup ## audit recorded transcripts of real models (needs ../shared/data)
	$(BIN)/python benchmarks/recorded.py

check: setup ## format, lint, types, import contracts, generated pages, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PYTHONPATH=docs $(BIN)/python -m manual --check
	$(BIN)/python -m pytest $(PARALLEL)

docs: pages ## build the documentation into ./out/docs, strictly; it opens from the folder
	$(BIN)/python -m sphinx -b html -W --keep-going -n -q -j auto docs out/docs
	@echo "docs: out/docs/index.html"

pages: setup ## write the pages of docs/ that follow from the code
	PYTHONPATH=docs $(BIN)/python -m manual

pictures: setup ## make the pictures of README and docs anew from cases/demo (make demo); needs poppler-utils
	$(BIN)/python benchmarks/pictures.py $(DEMO)

criteria: setup ## the acceptance criteria of the report, each with the tests that check it
	@$(BIN)/python tests/support/criteria.py

schema: setup ## write docs/findings.schema.json
	$(BIN)/python -c 'from pathlib import Path; from depose.report.machine_readable import schema; Path("docs/findings.schema.json").write_bytes(schema())'

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
	build/wheel-test/venv/bin/python -m pytest $(PARALLEL)

dist: setup ## wheel, sdist, SBOM (CycloneDX) of the environment they were tested in, checksums, in ./dist
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	version=$$($(BIN)/python -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])') && \
		$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON \
		-o "dist/depose-$$version.cdx.json" $(BIN)/python
	cd dist && sha256sum -- * > SHA256SUMS
	cd dist && sha256sum --check --strict SHA256SUMS

image: setup ## container image for CPUs, by docker or buildah; where neither runs, its file is checked
	@if docker info >/dev/null 2>&1; then docker build -t depose . && docker run --rm depose list cases; \
		elif command -v buildah >/dev/null; then buildah build -t depose .; \
		else echo "image: neither docker nor buildah runs here; checking the Dockerfile"; \
		$(BIN)/hadolint Dockerfile && $(BIN)/python -m pytest -q tests/test_contrib.py -k dockerfile; fi

bench: setup ## measure speed and memory against the targets
	@$(call study,benchmarks/bench.py)

bench-report: setup ## seconds and pages of the report of cases/demo (make demo) with fifty exhibits
	$(BIN)/python benchmarks/report.py $(DEMO)

bench-embedding: setup ## sentence vectors beside plain SentenceTransformer.encode
	$(BIN)/python benchmarks/embedding.py

bench-weights: setup ## weights: calls, p-values, relatives, the packaged model, two models of 1.7 billion parameters
	$(BIN)/python benchmarks/weights.py

bench-weights-rates: setup ## weights: calls among strangers and kin that are drawn afresh, by what was done to them; half an hour
	$(BIN)/python benchmarks/weights_rates.py

bench-weights-peers: setup ## rival tests of weights on the same pairs; KIT=python with cisco-ai-provenance-kit, TRACING=checkout of model-tracing
	$(BIN)/python benchmarks/peers/inheritance.py --steps 12 $(if $(KIT),--kit $(KIT)) $(if $(TRACING),--tracing $(TRACING))

gpu: setup ## everything that runs on a GPU, in eight minutes at most; small and under the interpreter where there is none
	$(BIN)/python benchmarks/gpu.py

kernel: setup ## the GPU's fuzzy kernel on 10,000 random pairs under Triton's interpreter, and compiled for sm_90 (no GPU needed)
	$(BIN)/python benchmarks/fuzzy_kernel.py

bench-peers: setup ## rival tools on the same pairs, in an environment of their own (needs ../shared/data)
	$(BIN)/python benchmarks/peers/run.py

bench-lineup: setup ## the line-up: exact p of 10^6, a planted corpus, batched likelihoods, rank test beside t-tests, black boxes
	$(BIN)/python benchmarks/lineup.py
	$(BIN)/python benchmarks/lineup_likelihood.py
	$(BIN)/python benchmarks/lineup_study.py peers
	$(BIN)/python benchmarks/lineup_black_box.py

lineup-study: setup ## the level of the line-up: 10,000 keys of each of six tables drawn anew, 500 null tables, groups of accounts, drift
	$(BIN)/python benchmarks/lineup_study.py

lineup-drift: setup ## line-ups whose fillers came from a changed sampler: which check stops them (a quarter of an hour; goes on after a kill)
	$(BIN)/python benchmarks/lineup_drift.py

lineup-lab: setup ## power of the line-up by epochs, share, base and treatment (hours on 2 cores; goes on after a kill)
	$(BIN)/python benchmarks/lineup_lab.py

lineup-case: setup ## make the bundled case `exposed`: draw, throw the coin, teach S1 (ten minutes; goes on after a kill)
	$(BIN)/python benchmarks/lineup_case.py

bench-extraction: setup ## logs: seconds and memory at 1e6 to 1e8 requests, levels and recall in simulated worlds, beside rivals
	$(BIN)/python benchmarks/extraction/scale.py 1e6 1e7 1e8 swaps pandas
	$(BIN)/python benchmarks/extraction/levels.py recall --worlds 5
	$(MAKE) extraction-level extraction-kills

extraction-level: setup ## logs: levels of all tests in 200 simulated worlds for each kind of look-alike; goes on after a stop
	nice -n 15 $(BIN)/python benchmarks/extraction/levels.py level --worlds 200
	$(BIN)/python benchmarks/extraction/levels.py table

journeys: setup ## sessions of four users on a terminal of 80 columns, written to docs/guide/journeys.md
	$(BIN)/python benchmarks/journeys.py

first-report: setup ## 49 files of answers to a report: commands, keystrokes, seconds, exit codes, in out/first-report (needs ../shared/data)
	@$(BIN)/python benchmarks/first_report.py out/first-report --show

extraction-kills: setup ## logs: import and scan killed at 20 random moments give the same bytes
	$(BIN)/python benchmarks/extraction/kills.py --kills 20

evaluations: setup ## write the independent evaluations that ship from ../shared/evaluation.json
	$(BIN)/python benchmarks/independent.py

coverage: setup ## coverage of the 95 % interval of T by simulation, 19 to 40 controls, 25 to 100 prompts
	$(BIN)/python benchmarks/interval_coverage.py

era-study: setup ## false alarms by the years of the controls, and the rule on dates (needs ../shared/data-modern)
	$(BIN)/python benchmarks/era.py

controls-study: setup ## size under few lineages, shared time, strong style; partly clean controls, also on ../shared/data*
	$(BIN)/python benchmarks/controls.py
	$(BIN)/python benchmarks/partly_clean.py --data ../shared/data --source alpaca_eval --pairs 150
	$(BIN)/python benchmarks/partly_clean.py --data ../shared/data-modern --source shaberi_w --pairs 150

values-study: setup ## shared numbers, dates, names and titles as a detector: areas, levels, the choice in families left out (needs ../shared)
	$(BIN)/python benchmarks/values.py

bare-words-study: setup ## strangers dressed alike with and without the rule on bare words, and what it costs (needs ../shared; skipped without; goes on after a kill)
	$(BIN)/python benchmarks/bare_words.py

opinions-bare-words: setup ## how often the opinion is wrong, and true pairs are missed, with the rule on bare words beside without (needs ../shared; half an hour; goes on after a kill)
	$(BIN)/python benchmarks/opinion_bare.py

bench-same: setup ## watching: calls and tokens until another setting is found, level, false alarms in 1,000 days (bank of answers in $(BANK))
	$(BIN)/python benchmarks/same/bank.py $(BANK) $(if $(LLMMAP),--llmmap $(LLMMAP)) --sets choices open $(if $(LLMMAP),llmmap)
	$(BIN)/python benchmarks/same/power.py $(BANK)
	$(BIN)/python benchmarks/same/families.py

bench-same-lab: setup ## laboratory power of every family of prompts for `distilled` and `same` at equal cost, in BANK-lab (an hour; goes on after a kill)
	$(BIN)/python benchmarks/same/lab_bank.py $(strip $(BANK))-lab $(if $(LLMMAP),--llmmap $(LLMMAP))
	$(BIN)/python benchmarks/same/lab_power.py $(strip $(BANK))-lab

bench-same-peers: setup ## rival tests of `same` on the same days of the bank: FPVERIFY=checkout, EQUALITY=1 with model-equality-testing
	$(BIN)/python benchmarks/same/peers.py $(BANK) $(if $(FPVERIFY),--fpverify $(FPVERIFY)) $(if $(EQUALITY),--equality)

bench-watch: setup ## watching a server that swaps its model: noticed after how many calls, false alarms in 1,000 days without a swap
	$(BIN)/python benchmarks/same/days.py

bench-batch: setup ## screen all models of alpaca_eval: minutes, memory, growth, kills, engines, false discoveries (needs ../shared/data)
	$(BIN)/python benchmarks/batch.py

bench-endpoints: setup ## calls a second against a server on loopback, beside a bare httpx2 loop
	$(BIN)/python benchmarks/endpoints.py

faults: setup ## meet every fault of a misbehaving server: what is recorded, what is shown
	$(BIN)/python benchmarks/faults.py

cases: setup ## every small input of ../shared/cases that failed once: what is right, and what came out
	$(BIN)/python benchmarks/cases.py

statuses: setup ## every source of answers times every way to end: what counts as an answer
	$(BIN)/python benchmarks/statuses.py

validate: setup ## known error rates on labelled models, each of two populations left out of the other (needs ../shared)
	$(BIN)/python benchmarks/validate.py

selection: setup ## choose detectors inside left-out families, on an English and a Japanese population at once (needs ../shared)
	$(BIN)/python benchmarks/selection.py

centring-study: setup ## covariance, correlation and what is between as likeness, inside left-out families, on both populations (needs ../shared)
	$(BIN)/python benchmarks/centring.py

classifier-study: setup ## a classifier among the models as a detector, alone, combined and by rank, on both populations (needs ../shared)
	$(BIN)/python benchmarks/classifier.py

validate-all: setup ## the same, and every other source of ../shared/data and ../shared/data-modern
	$(BIN)/python benchmarks/validate.py --all

lab: setup ## train the default laboratory from nothing (an hour or more on 2 cores; goes on after a kill), in ./out/lab
	$(BIN)/depose lab build --recipe default --out $(LAB)/default
	$(BIN)/depose lab study $(LAB)/default --out $(LAB)/default-study

lab-fast: setup ## the same with tiny models from scratch, in minutes
	$(BIN)/depose lab build --recipe fast --out $(LAB)/fast
	$(BIN)/depose lab study $(LAB)/fast --out $(LAB)/fast-study

lab-pack: setup ## build the bundled pack from the case `distilled`: VERSION=3 KEY=signing-key.pem
	$(BIN)/depose pack build lab --version $(VERSION) --case casefiles/distilled --role control --role candidate \
		--title "models of the laboratory, fine-tunes of SmolLM2-135M by 27 house styles" --key $(KEY) \
		--out src/depose/case/control_packs/lab-$(VERSION).pack

lab-kit: setup ## make the self-test's kit, the laboratory's calibration and the case `distilled` from ./out/lab/default
	$(BIN)/python benchmarks/kit.py $(LAB)/default

tamper: setup ## attack a sealed bundle in every way we know; print what each attack meets
	$(BIN)/python benchmarks/tamper.py

fuzz: setup ## feed every reader of foreign bytes with odd and changed bytes (a quarter of an hour; an hour with FUZZ=5, which gives a minute to each)
	DEPOSE_FUZZ=$(or $(FUZZ),1) $(BIN)/python -m pytest $(PARALLEL) tests/case/test_fuzz.py tests/custody/test_foreign_bytes.py \
		tests/endpoints/test_wire_fuzz.py tests/evidence/test_tokens.py tests/extraction/test_fuzz.py \
		tests/lineup/test_fuzz.py tests/weights/test_fuzz.py -q --durations=0 --durations-min=1

soak: setup ## kill a run of four endpoints 200 times; then change bytes of a bundle under the recomputing verify
	$(BIN)/python benchmarks/soak.py --kills 200
	DEPOSE_SOAK=1 $(BIN)/python -m pytest tests/custody/test_tampering.py -q -k any

bench-custody: setup ## append and verify 100,000 exchanges; ratios to plain writes and to sha256sum
	$(BIN)/python benchmarks/custody.py

bench-leaks: setup ## the search for secrets: false alarms on the answers of ../shared, processor time (BESIDE=checkout of another commit)
	$(BIN)/python benchmarks/leaks.py $(if $(BESIDE),--beside $(BESIDE))

define study
if [ ! -f $(1) ]; then echo "make $@: $(1) is not there yet" >&2; exit 1; fi; $(BIN)/python $(1)
endef
