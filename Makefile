# Everything runs in its own virtual environment, .venv; only Python >= 3.11, make and access to a package index are needed.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
DEMO := out/demo
STUDIES := out/studies
TYPES := build/types
PICTURES := out/pictures
# One build for every check; without a version, Linux gets the newest with gigabytes of CUDA.
TORCH ?= torch==2.13.0

# Of `make campaign`: inputs in all parts together, processes, seed; one PART and one input of it, ONLY; a document to WRITE.
INPUTS ?= 2000
JOBS ?= 2
SEED ?= 0
CAMPAIGN := --inputs $(INPUTS) --jobs $(JOBS) --seed $(SEED)
CAMPAIGN += $(addprefix --part ,$(PART)) $(addprefix --only ,$(ONLY)) $(addprefix --write ,$(WRITE))

.DEFAULT_GOAL := help
.PHONY: help demo test lint types suite campaign bench results studies docs clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 14

demo: $(VENV)/installed ## install, compare all solvers on the paper's scenario, draw the result
	$(VENV)/bin/epsl-opt compare paper --output $(DEMO)
	@echo "Verified schedules (JSON) and pictures (PNG, SVG):"
	@ls $(DEMO)/schedules/* $(DEMO)/pictures/*

test: lint types suite ## install what the tests need, then check style, types and behaviour

lint: $(VENV)/installed-dev ## check style
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

# The folders solvers/, problems/ and backends/ are subpackages once installed; type checkers read folders, so show them that tree.
types: $(VENV)/installed-dev ## check types
	rm -rf $(TYPES) && mkdir -p $(TYPES)/epsl_opt
	ln -s $(CURDIR)/epsl_opt/* $(CURDIR)/solvers $(CURDIR)/problems $(CURDIR)/backends $(TYPES)/epsl_opt/
	MYPYPATH=$(TYPES) $(PY) -m mypy

suite: $(VENV)/installed-dev ## run the tests
	$(PY) -m pytest -q

campaign: $(VENV)/installed-dev ## try random inputs on everything: INPUTS=20000 JOBS=2 SEED=0 (minutes to an hour)
	PYTHONPATH=.:tests $(PY) -m campaign $(CAMPAIGN)

bench: $(VENV)/installed ## measure power control, and time and memory at scale
	$(PY) benchmarks/power_control.py
	$(PY) benchmarks/scale.py

results: $(VENV)/installed ## run all solvers on everything and write docs/results.md (minutes)
	$(PY) benchmarks/results.py

studies: $(VENV)/installed-dev ## run the quick version of every study and make a page of them (minutes each)
	$(VENV)/bin/epsl-opt study --all --quick --output $(STUDIES)
	$(VENV)/bin/epsl-opt report $(STUDIES)

docs: $(VENV)/installed ## write the generated tables and pictures of the documentation anew
	$(PY) -m epsl_opt.reference
	$(PY) -m epsl_opt.problems.tables docs/problems.md
	$(PY) -m epsl_opt.backends.datasets.reference
	$(VENV)/bin/epsl-opt compare paper:fading=rayleigh --output $(PICTURES)
	for kind in comparison allocation gantt; do cp $(PICTURES)/pictures/*--$$kind.png docs/pictures/$$kind.png || exit 1; done

clean: ## remove the environment and everything generated
	rm -rf $(VENV) build dist out *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find epsl_opt solvers problems backends tests examples -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	$(PYTHON) -c 'import sys; sys.exit("Python >= 3.11 is needed; set PYTHON" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# Flower pins many packages narrowly, and may not fit what an index has today.
# The stamps: installing again is needed only when dependencies or entry points change.
$(VENV)/installed: pyproject.toml | $(PY)
	$(PY) -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/installed-dev: pyproject.toml | $(PY)
	$(PY) -m pip install --quiet --disable-pip-version-check '$(TORCH)'
	$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[dev,flower]' || { \
		echo 'Flower does not install here: its tests will be skipped.'; \
		$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'; }
	touch $@ $(VENV)/installed
