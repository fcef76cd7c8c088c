# Everything goes into .venv; `make setup` once, and what has not changed costs nothing the next time.

# The Python of the distribution is compiled with profiles, and up to a quarter faster than one that is not.
PYTHON ?= $(shell /usr/bin/python3 -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo /usr/bin/python3 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv --quiet
INSTALL := $(UV) pip install --compile-bytecode --python $(BIN)/python
LOCK := $(UV) pip compile --universal --generate-hashes --python-version 3.11 --no-header --no-annotate
ARGS ?=

.PHONY: help fuzz audit bench-web pictures setup run demo test test-faults lint format bench bench-rules bench-store bench-learn bench-verdicts bench-peers conformance docs lock clean

help:
	@echo 'make run      set up and run the service: SQLite, shipped rules, no configuration file'
	@echo 'make demo     the whole story in the terminal, in under a minute'
	@echo 'make setup    set up .venv for development; the command is .venv/bin/lazaret'
	@echo 'make test     set up and run all tests          ARGS="tests/wire -k dot"'
	@echo 'make test-faults    hurt a running service in every way, and count what became of the mail'
	@echo '                    STREAM=100000 KIND=sqlite|mariadb|postgresql: the long stream alone'
	@echo 'make lint     ruff and mypy; `make format` writes what ruff wants'
	@echo 'make bench    run the benchmarks                  CORPUS=folder-of-messages'
	@echo 'make bench-store    a large quarantine on each kind of database  ARGS="--messages 1000000"'
	@echo 'make bench-learn    try the learner, beside others      INDEX=…/INDEX.tsv'
	@echo 'make bench-verdicts    rules and learner together      INDEX=…/INDEX.tsv RULES="DIR SITE"'
	@echo 'make bench-peers    the whole road, beside amavisd-new and Rspamd  INDEX=…/INDEX.tsv'
	@echo 'make conformance    compare with SpamAssassin, rule by rule  DIR=folder-recorded-from-it'
	@echo 'make fuzz     fuzz one part with atheris         TARGET=mime SECONDS=600 CORPUS=folder-of-messages'
	@echo 'make audit    ask whether a locked dependency has a known flaw'
	@echo 'make docs     write docs/configuration.md from the options'
	@echo 'make bench-web    time pages and API on a large database  ARGS="--messages 1000000"'
	@echo 'make pictures take the pictures of the page in docs/, with Chromium'
	@echo 'make lock     renew the locked requirements'

setup: $(VENV)/.development

run: $(VENV)/.runtime
	@exec $(BIN)/lazaret serve $(ARGS)

demo: $(VENV)/.runtime
	@exec $(BIN)/lazaret demo $(ARGS)

test: setup
	@tests/install-packages
	@$(BIN)/python -m lazaret.rules.build_kernel
	$(BIN)/pytest -n auto --dist loadfile $(ARGS)

test-faults: setup
	LAZARET_FAULTS=1 LAZARET_FAULTS_STREAM=$(or $(STREAM),5000) \
	$(BIN)/pytest -s tests/faults $(if $(KIND),-k "long_stream and $(KIND)") $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-rules: setup
	@test -d "$(CORPUS)" || { echo 'Name a folder of messages: make bench-rules CORPUS=… [RULES="DIR SITE"]' >&2; exit 64; }
	@perl=; perl -MMail::SpamAssassin -e1 2>/dev/null && perl=--perl; \
	 $(BIN)/python bench/rules.py $(CORPUS) $(addprefix --rules ,$(RULES)) $$perl

bench-store: setup
	@nice -n 10 $(BIN)/python bench/store_kinds.py $(ARGS)

bench-learn: setup
	@test -f "$(INDEX)" || { echo 'Name an index of labelled messages: make bench-learn INDEX=…/INDEX.tsv' >&2; exit 64; }
	@$(BIN)/python bench/learn.py $(INDEX) $(ARGS)

bench-verdicts: setup
	@test -f "$(INDEX)" || { echo 'Name an index of labelled messages: make bench-verdicts INDEX=…/INDEX.tsv [RULES="DIR SITE"]' >&2; exit 64; }
	@nice -n 10 $(BIN)/python bench/verdicts.py $(INDEX) $(addprefix --rules ,$(RULES)) $(ARGS)

bench-peers: setup
	@test -f "$(INDEX)" || { echo 'Name an index of labelled messages: make bench-peers INDEX=…/INDEX.tsv' >&2; exit 64; }
	@$(BIN)/python bench/peers.py $(INDEX) $(ARGS)

bench: setup
	@test -d "$(CORPUS)" || { echo 'Name a folder of messages: make bench CORPUS=…' >&2; exit 64; }
	@for program in road mime rules; do echo "$$program:"; $(BIN)/python bench/$$program.py $(CORPUS) || exit; done
	@for program in wire store commands; do echo "$$program:"; $(BIN)/python bench/$$program.py || exit; done

conformance: setup
	@test -d "$(DIR)/cases" || { echo 'Name a folder recorded from SpamAssassin: make conformance DIR=…' >&2; exit 64; }
	@$(BIN)/python bench/conformance.py $(DIR) $(ARGS)

bench-web: setup
	@$(BIN)/python bench/web.py $(ARGS)

pictures: setup
	@test -x /usr/bin/chromium || { echo 'The Debian package chromium is missing: apt-get install chromium' >&2; exit 1; }
	@$(BIN)/python docs/pictures/take.py

fuzz: setup
	@test -n "$(TARGET)" || { echo 'Name a target of fuzz/targets.py: make fuzz TARGET=mime SECONDS=600' >&2; exit 64; }
	@$(INSTALL) --group fuzz
	@$(BIN)/python fuzz/run.py $(TARGET) --seconds $(or $(SECONDS),60) $(addprefix --corpus ,$(CORPUS))

audit: setup
	$(UV) tool run pip-audit --disable-pip --require-hashes -r requirements.txt

docs: setup
	$(BIN)/python -m lazaret.config.document > docs/configuration.md

lock: $(VENV)/.build
	$(LOCK) --group build -o requirements-build.txt
	$(LOCK) pyproject.toml -c requirements-build.txt -o requirements.txt
	$(LOCK) pyproject.toml --group dev -c requirements.txt -c requirements-build.txt -o requirements-dev.txt

clean:
	rm -rf $(VENV)

# Three steps, each with a stamp: what installs, what runs, what develops.

$(VENV)/.build: requirements-build.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Lazaret needs Python 3.11 or later; name it with make PYTHON=python3.12")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo 'The Python module venv is missing: apt-get install python3-venv' >&2; exit 1; }
	@echo 'Setting up $(VENV); this takes a minute the first time.'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip --quiet --quiet --disable-pip-version-check install --require-hashes -r requirements-build.txt
	@touch $@

$(VENV)/.runtime: $(VENV)/.build requirements.txt pyproject.toml $(wildcard src/lazaret/*/*.[ch])
	@$(INSTALL) --require-hashes -r requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m lazaret.rules.build_kernel
	@$(BIN)/python -m compileall -q src
	@touch $@

$(VENV)/.development: $(VENV)/.runtime requirements-dev.txt
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@
