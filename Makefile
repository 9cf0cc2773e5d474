# Everything runs from .venv, made from requirements.lock; git, make and Python 3.11+ are all a machine needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready

.PHONY: setup demo test test-long lint format docs canary bench lock clean
# Compiled as pip compiles what it copies: where PYTHONDONTWRITEBYTECODE is set, as in many images, each `holdfast` would do it anew.
setup: $(STAMP)
	@$(BIN)/python -m compileall -q src

# Debian splits venv's pip away from Python. Without it: the system's pip fills the venv, or as root apt brings it.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "holdfast needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	@$(PYTHON) .ci/make_venv.py $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . 
	@touch $@

demo: setup
	@$(BIN)/holdfast demo

# Prints a dot per test, then what was skipped and why and the ten slowest steps. docs/testing.md says how a room is run.
test: setup
	@$(BIN)/python -m pytest -n auto -ra --durations=10

test-long: setup
	@HOLDFAST_LONG=1 $(BIN)/python -m pytest -n auto -ra --durations=10

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: setup
	@$(BIN)/python -c 'from holdfast.catalog.views import render_markdown; print(render_markdown().strip())' > docs/views.md
	@$(BIN)/python -c 'from holdfast.jobs.compatibility import render; print(render().strip())' > docs/compatibility.md
	@$(BIN)/python -c 'from holdfast.jobs.rights_page import render; print(render().strip())' > docs/rights.md

# What the newest wheel of the engine is: known, changed or not known. docs/canary.md says how to read it.
canary: setup
	@$(BIN)/python tests/engines/canary.py build/canary $(if $(WHEEL),'$(WHEEL)')

bench: setup
	@$(BIN)/python -m bench

lock: setup
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group dev pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
