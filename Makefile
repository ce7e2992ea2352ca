# Two commands are enough: `make run` and `make test`. Nothing but Python 3.11+ and make is needed.

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
# The locks name every package: with --no-deps there is nothing left for pip to choose.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock"
APPS := customers consent disclosures retention marketing privacy_requests dentalclean

.PHONY: run test drill histories kills check messages bench lock servers manage clean

run: $(VENV)/run.stamp  ## start everything on this machine; Ctrl-C stops it
	@$(BIN)/python -m dentalclean.embedded run

test: $(VENV)/test.stamp  ## the whole suite; ARGS="-k name" for a part
	@chromium=$$($(BIN)/python tests/chromium.py) && \
	CHROMIUM="$$chromium" $(BIN)/python -m pytest $(ARGS)

drill: $(VENV)/test.stamp  ## restore a dump and a point in time, and see that nobody comes back
	@$(BIN)/python -m pytest -n 0 -v tests/retention/test_restore.py

histories: $(VENV)/test.stamp  ## hold the nights of 20,300 generated histories to the oracle
	@HISTORIES=14 $(BIN)/python -m pytest tests/retention/test_oracle.py

kills: $(VENV)/test.stamp  ## kill a night everywhere, and each part of an installation five times
	@KILLS_EACH=5 $(BIN)/python -m pytest tests/retention/test_kill_points.py \
		tests/runtime/test_purge_killed.py

check: $(VENV)/test.stamp  ## everything that can be said without running the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	DENTALCLEAN_EMBEDDED=1 $(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/djade --check --target-version 5.2 $$(git ls-files 'templates/*.html')
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml $(APPS)
	$(BIN)/deptry .
	$(BIN)/python -m tests.production_settings makemigrations --check --dry-run
	$(BIN)/python -m tests.production_settings check --deploy --fail-level WARNING

messages: $(VENV)/test.stamp  ## bring locale/ up to date with the code and compile it
	@$(BIN)/python -m tests.messages

bench: $(VENV)/bench.stamp  ## ours against hand-written; ONLY=purge N=50000 for one
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY)) $(if $(N),-n $(N))

servers: $(VENV)/run.stamp  ## PostgreSQL and Valkey alone, for development
	@$(BIN)/python -m dentalclean.embedded servers

manage: $(VENV)/run.stamp  ## one of Django's commands beside `make run`: make manage ARGS="shell"
	@$(BIN)/python -m dentalclean.embedded manage $(ARGS)

lock: $(VENV)/test.stamp  ## write requirements/*.txt anew from requirements/*.in
	$(LOCK) --upgrade requirements/app.in -o requirements/app.txt
	$(LOCK) --upgrade -c requirements/app.txt requirements/embedded.in -o requirements/embedded.txt
	$(LOCK) --upgrade -c requirements/app.txt -c requirements/embedded.txt requirements/dev.in \
		-o requirements/dev.txt
	$(LOCK) --upgrade requirements/browser.in -o requirements/browser.txt
	$(LOCK) --upgrade -c requirements/app.txt requirements/bench.in -o requirements/bench.txt

clean:  ## remove the virtual environment and the caches; the data in var/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Install Python 3.11 or newer with its venv module, or name it: make PYTHON=/path/to/python3." >&2; exit 1; }
	@echo "Making a virtual environment in $(VENV)."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/app.txt requirements/embedded.txt | $(BIN)/python
	@echo "Installing what Dentalclean runs on (once)."
	@$(PIP) --no-deps --require-hashes -r requirements/app.txt -r requirements/embedded.txt
	@touch $@

$(VENV)/test.stamp: requirements/dev.txt $(VENV)/run.stamp
	@echo "Installing what the tests need (once)."
	@$(PIP) --no-deps --require-hashes -r requirements/app.txt -r requirements/embedded.txt \
		-r requirements/dev.txt
	@touch $@

$(VENV)/bench.stamp: requirements/bench.txt $(VENV)/test.stamp
	@echo "Installing what the benches measure against (once)."
	@$(PIP) --no-deps --require-hashes -r requirements/bench.txt
	@touch $@
