# Lexigrad. `make` alone lists the verbs.

# What `make install` may be told: TORCH=cpu (no GPU: far less to load) or TORCH=auto (what the machine's driver fits).
# Without it, the PyTorch that the package index gives: with CUDA on Linux, with Metal on a Mac.
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
INSTALLED := $(shell cat $(STAMP) 2>/dev/null)
TORCH ?= $(filter cpu auto,$(INSTALLED))

# The first Python on the path that Lexigrad runs on.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))
PYTHON ?= $(firstword $(foreach each,python3 python3.13 python3.12 python3.11 python3.14,\
	$(shell $(each) -c '$(FITS)' 2>/dev/null && echo $(each))))

# One thread a process: the tests share two cores, and a small model is faster on one than beside another's two.
TEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help install run test check bench bench-families slow labs again

help: ## say what there is
	@echo "Lexigrad: the glossary that runs."
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' Makefile

install: $(STAMP) ## load what Lexigrad needs into .venv (TORCH=cpu: without CUDA; TORCH=auto: what fits the driver)
	@echo "Lexigrad is installed in $(VENV). make run opens the app."

run: $(STAMP) ## open the app; without a terminal, train a first model and say how to open the app
	@if [ -t 0 ] && [ -t 1 ]; then \
		$(BIN)/lexigrad; \
	else \
		$(BIN)/lexigrad run mlp/quick --plain && echo "The app itself needs a terminal: run $(BIN)/lexigrad in one."; \
	fi

test: $(STAMP) ## run the tests, the slow ones left out
	$(TEST) -n 2 -m "not slow" tests

check: $(STAMP) ## lint, format, types, imports, the rules of the house, the entries
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(TEST) -q tests/test_house.py tests/test_boundaries.py
	$(BIN)/lexigrad check

bench: $(STAMP) ## measure the speed, side by side with named peers, into docs/benchmarks.md
	$(BIN)/python -m tests.bench

bench-families: $(STAMP) ## train every preset that has a bar over three seeds, into docs/benchmarks.md
	$(BIN)/python -m tests.bench families

labs: $(STAMP) ## carry every lab out over three seeds, into engine/labs/findings and docs/findings.md
	$(BIN)/python -m tests.labs

slow: $(STAMP) ## run the tests that take minutes
	$(TEST) -m slow tests

# Made anew when the dependencies change or another PyTorch is asked for.
ifneq ($(or $(TORCH),default),$(or $(INSTALLED),$(TORCH),default))
$(STAMP): again
RELOAD := --reinstall-package torch --reinstall-package torchvision
endif

$(STAMP): pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
		echo "Lexigrad needs Python 3.11 or newer (below 3.15), and none is on the path." >&2; \
		echo "  Install one from your system's packages, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; \
		exit 1; \
	fi
	@case "$(TORCH)" in \
		""|cpu|auto) ;; \
		*) echo "TORCH=$(TORCH) is neither cpu nor auto. Leave it out for the PyTorch with CUDA." >&2; exit 2 ;; \
	esac
	@if [ "$(TORCH)" = cpu ]; then \
		echo "Loading Lexigrad's environment into $(VENV): about 1.5 GB of disk, most of it PyTorch without CUDA."; \
	else \
		echo "Loading Lexigrad's environment into $(VENV): about 5 GB of disk, most of it PyTorch with CUDA."; \
		echo "  No GPU here? Stop with Ctrl+C and say: make $(or $(MAKECMDGOALS),install) TORCH=cpu"; \
	fi
	@echo "  It took 40 s elsewhere on a fast line; on a slow one it takes some minutes."
	@set -e; \
	if command -v uv >/dev/null && uv pip install --help 2>/dev/null | grep -q -e --torch-backend; then \
		uv=uv; \
	else \
		uv=.tools/uv/bin/uv; \
		if ! [ -x $$uv ]; then \
			echo "Loading uv, which installs the rest, into .tools/uv."; \
			"$(PYTHON)" -m venv .tools/uv && .tools/uv/bin/python -m pip install --quiet uv || { \
				echo "uv could not be installed. Is there a network, and Python's venv (Debian: python3-venv)?" >&2; exit 1; }; \
		fi; \
	fi; \
	[ -x $(BIN)/python ] || $$uv venv --quiet --python "$(PYTHON)" $(VENV); \
	quiet=--quiet; if [ -t 2 ]; then quiet=; fi; \
	$$uv pip install $$quiet --python $(BIN)/python --group dev --editable . $(RELOAD) $(if $(TORCH),--torch-backend=$(TORCH)) || { \
		echo "The packages could not be installed; what was loaded is kept, so make can be called again." >&2; exit 1; }
	@echo $(or $(TORCH),default) > $(STAMP)
