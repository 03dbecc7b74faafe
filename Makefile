# Set-up and everyday commands; `make` alone lists them. A command first installs what it lacks, which takes minutes
# the first time and no time after that.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
# The data and the configuration of a model that Debian's soundfonts suffice for.
RECIPE ?= wimu12
CLIPS ?= 32768
SEED ?= 8
CONFIG ?= wimu12-shallow
DATA ?= data/$(RECIPE)
OUT ?= runs/$(CONFIG)

# uv does not read pip's setting for folders of wheels, and wants commas in its own.
ifdef PIP_FIND_LINKS
export UV_FIND_LINKS ?= $(shell echo $(PIP_FIND_LINKS) | tr ' ' ',')
endif
# PyTorch's CPU build is gigabytes smaller than the one for NVIDIA cards. A folder of wheels brings its own build.
ifeq ($(shell uname -s)$(shell command -v nvidia-smi)$(UV_FIND_LINKS),Linux)
export UV_TORCH_BACKEND ?= cpu
endif

.PHONY: help app test check hooks lock docs soundfonts dataset train bench

help: ## List the commands
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

app: $(VENV)/.installed-app ## Open the app on http://localhost:8501
	$(VENV)/bin/streamlit run app/main.py

test: $(VENV)/.installed-dev ## Run all tests, those in a browser included
	$(VENV)/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.installed-dev ## Check format, style and types
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

hooks: $(VENV)/.installed-dev ## Check each commit before it is made
	$(VENV)/bin/pre-commit install

lock: ## Choose the newest allowed version of every library anew (uv.lock)
	@$(find_uv); env -u UV_FIND_LINKS $$uv lock --upgrade

docs: $(VENV)/.installed-docs ## Build the documentation in build/docs/index.html
	$(VENV)/bin/sphinx-build -W --keep-going -b html docs build/docs

soundfonts: $(VENV)/.installed-app ## Download the soundfonts that Debian does not have
	@$(VENV)/bin/python -m core.synthesis.fetch_soundfonts

dataset: $(VENV)/.installed-train ## Compose training clips: RECIPE=… CLIPS=… SEED=… DATA=…
	$(VENV)/bin/timbrescope dataset "$(RECIPE)" --clips $(CLIPS) --seed $(SEED) --out $(DATA)

train: $(VENV)/.installed-train ## Train a model on them: CONFIG=… DATA=… OUT=…
	$(VENV)/bin/timbrescope train $(CONFIG) --data $(DATA) --out $(OUT)

bench: $(VENV)/.installed-train ## Measure the speed of the costly work, as ratios
	$(VENV)/bin/timbrescope bench

# One stamp for each set of extras: when these files are newer there may be something to install. What is installed is
# compiled at once: where Python may not keep bytecode, every command would compile PyTorch anew, for seconds.
$(VENV)/.installed-app: EXTRAS := app
$(VENV)/.installed-train: EXTRAS := train
$(VENV)/.installed-docs: EXTRAS := app,train,docs
$(VENV)/.installed-dev: EXTRAS := app,train,cluster,dev
$(VENV)/.installed-dev: BROWSER := chromium
$(VENV)/.installed-%: pyproject.toml uv.lock packages.txt
	@$(call install_packages,$(shell cat packages.txt))
	@$(find_uv); \
	[ -x $(VENV)/bin/python ] || $$uv venv $(VENV); \
	$$uv export --frozen --quiet --all-extras --no-hashes --no-emit-project --output-file $(VENV)/locked.txt; \
	$$uv pip install --compile-bytecode --python $(VENV) --constraints $(VENV)/locked.txt -e '.[$(EXTRAS)]'
	@$(if $(BROWSER),command -v $(BROWSER) >/dev/null || ($(call install_packages,$(BROWSER))) || \
		echo "Tests in a browser are skipped until there is a $(BROWSER) on PATH.")
	@touch $@

# Debian packages, as far as they are missing.
define install_packages
	if ! command -v apt-get >/dev/null; then \
		echo "This is not Debian or Ubuntu: install FluidSynth and ffmpeg (Homebrew: brew install fluid-synth ffmpeg)" \
			"and put one of the soundfonts of soundfonts/soundfonts.toml into soundfonts/."; \
		exit 0; \
	fi; \
	missing=$$(for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	[ -n "$$missing" ] || exit 0; \
	as_root=$$([ $$(id -u) = 0 ] || echo sudo); \
	$$as_root apt-get update -qq && \
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$missing || \
	{ echo "These packages are missing, install them first:" $$missing; exit 1; }
endef

# Sets $uv: the one on PATH, or else one in a small environment of its own.
define find_uv
	uv=uv; \
	if ! uv --version >/dev/null 2>&1; then \
		uv=.venv-uv/bin/uv; \
		[ -x $$uv ] || { python3 -m venv .venv-uv && .venv-uv/bin/pip install --quiet uv; }; \
	fi
endef
