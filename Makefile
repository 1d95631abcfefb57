.DEFAULT_GOAL := help
SHELL := /bin/bash
PY := .venv/bin/python
BIN := .venv/bin
STAMP := .venv/.installed
# The newest supported interpreter on the path, unless PYTHON names one.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
# The system's Node, else the one that the browser driver brings.
NODE ?= $(shell command -v node || ls $(CURDIR)/.venv/lib/python3*/site-packages/playwright/driver/node 2>/dev/null)

.PHONY: help
help: ## Print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(STAMP) ## Make .venv and install what requirements/dev.txt pins (again only when it changes)
$(STAMP): requirements/dev.txt
	@test -n "$(PYTHON)" || { echo "ECNi needs Python 3.11, 3.12 or 3.13 on the path." >&2; exit 1; }
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	touch $@

.PHONY: demo
demo: setup ## Start a whole national exam on this machine: no server to install, data in .demo
	ECNI_ENV=demo $(PY) manage.py demo

.PHONY: test
test: setup browser ## Run every test: Python on two workers, then JavaScript
	$(MAKE) --no-print-directory test-js
	$(BIN)/pytest -n 2 --dist loadgroup

.PHONY: test-js
test-js: setup ## Run the JavaScript tests
	@files=$$(find tests/js -name '*.test.*js' 2>/dev/null); \
	if [ -z "$$files" ]; then echo "JavaScript tests: none"; \
	elif [ -z "$(NODE)" ]; then echo "JavaScript tests: skipped, no Node on this machine"; \
	else "$(NODE)" --test --test-reporter=dot $$files; fi

.PHONY: browser
browser: setup ## Find or install a Chromium for the browser tests
	@$(PY) -m tests.chromium

.PHONY: check
check: lint types arch ## Check style, types and architecture

.PHONY: fmt
fmt: setup ## Rewrite the code in the house style
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

.PHONY: lint
lint: setup ## Check the style
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

.PHONY: types
types: setup ## Check the types
	ECNI_ENV=test $(BIN)/mypy ecni exams centres grading ranking

.PHONY: arch
arch: setup ## Check who imports whom
	ECNI_ENV=test PYTHONPATH=. $(BIN)/lint-imports

.PHONY: serve
serve: setup ## Serve by separate roles behind nginx, on the data of the demonstration: PORT=8000 SERVER=daphne or uvicorn
	ECNI_ENV=demo $(PY) -m ecni.engines .demo $(PY) manage.py serve --nginx --port $(or $(PORT),8000) --server $(or $(SERVER),daphne)

.PHONY: run
run: setup ## Serve the site from the sources on port 8000, on the demonstration's engines
	ECNI_ENV=demo DEBUG=1 $(PY) -m ecni.engines .demo $(PY) manage.py runserver 127.0.0.1:8000

.PHONY: worker
worker: setup ## Run a Celery worker on the demonstration's engines
	ECNI_ENV=demo ROLE=worker $(PY) -m ecni.engines .demo $(BIN)/celery -A ecni worker --loglevel INFO

.PHONY: rehearsal
rehearsal: setup ## Rehearse the day: simulated candidates, breakdowns, figures
	ECNI_ENV=demo $(PY) manage.py rehearsal

.PHONY: simulate
simulate: setup ## Play SEEDS=10000 histories of tablets and servers with faults, or show one: SEED=1234 (SHRINK=1 shortens it)
	@NODE="$(NODE)" ECNI_ENV=test $(PY) -m tests.simulation \
	  $(if $(SEED),--seed $(SEED) $(if $(SHRINK),--shrink),--seeds $(or $(SEEDS),10000))

.PHONY: mutants
mutants: setup ## Hunt every seeded bug; build/mutants.json says what caught each
	@NODE="$(NODE)" ECNI_ENV=test $(PY) -m tests.mutants

.PHONY: drills
drills: setup ## Break everything that breaks on the day, one fault at a time; ONLY=F01,F03 plays some, SERVER=uvicorn on the other server
	ECNI_ENV=demo $(PY) manage.py drills

.PHONY: waves
waves: setup ## Load waves: PLAN=uness-2022 CANDIDATES=9800 MINUTES=10 STORM=midway,closing NGINX=1 TLS=1 SERVER=daphne GENERATOR=locust
	ECNI_ENV=demo $(PY) manage.py waves

.PHONY: limits
limits: setup ## The failure of 2022 on purpose: a hidden limit on each layer in turn; CANDIDATES=9800 INSIDE=8000 ONLY=nginx,redis SECONDS=20
	ECNI_ENV=demo $(PY) manage.py limits

.PHONY: mark
mark: setup ## Mark anybody's response matrix: KEY=key.csv RESPONSES=responses.csv OUT=results (RULE=exact or tcs)
	@test -n "$(KEY)" -a -n "$(RESPONSES)" -a -n "$(OUT)" || { echo "make mark KEY=… RESPONSES=… OUT=…" >&2; exit 1; }
	ECNI_ENV=demo $(PY) manage.py mark_responses --key "$(KEY)" --responses "$(RESPONSES)" \
	  --rule $(or $(RULE),discordance) "$(OUT)"

.PHONY: bench
bench: setup ## Measure beside floors; ONLY=answers,memory picks, SIZES=1000,20000,36000 draws longer curves, RUNS=3
	ECNI_ENV=demo $(PY) manage.py bench

.PHONY: requirements
requirements: ## Pin the newest releases that pyproject.toml allows
	test -x build/uv/bin/uv || { python3 -m venv build/uv && build/uv/bin/pip install --quiet uv; }
	build/uv/bin/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --no-strip-extras pyproject.toml -o requirements/base.txt
	build/uv/bin/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --no-strip-extras pyproject.toml --extra embedded --extra uvicorn --group dev --group load \
	  -c requirements/base.txt -o requirements/dev.txt

.PHONY: clean
clean: ## Remove the demonstration's data and what tools leave behind
	rm -rf .bench .demo .drills .rehearsal .serve .waves build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage test-results
