# Everything runs in its own virtual environment, .venv; only Python >= 3.11, make and access to a package index are needed.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
DEMO := out/demo
STUDIES := out/studies
PICTURES := out/pictures
# One build for every check; without a version, Linux gets the newest with gigabytes of CUDA. torchvision's goes with it.
TORCH ?= torch==2.13.0
TORCHVISION ?= torchvision==0.28.0
# What is installed for the tests; `make lowest` leaves out tools whose own requirements are higher.
DEV ?= dev
# What the classifiers promise, and the next.
PYTHONS ?= 3.11 3.12 3.13 3.14

# Of `make campaign`: inputs in all parts together, processes, seed; one PART and one input of it, ONLY; a document to WRITE.
INPUTS ?= 2000
JOBS ?= 2
SEED ?= 0
CAMPAIGN := --inputs $(INPUTS) --jobs $(JOBS) --seed $(SEED)
CAMPAIGN += $(addprefix --part ,$(PART)) $(addprefix --only ,$(ONLY)) $(addprefix --write ,$(WRITE))

.DEFAULT_GOAL := help
.PHONY: help demo test lint types suite coverage lowest matrix campaign bench results studies docs site dist clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 14

demo: $(VENV)/installed ## install, compare all solvers on the paper's scenario, draw the result
	$(VENV)/bin/epsl-opt compare paper --output $(DEMO)
	@echo "Verified schedules (JSON) and pictures (PNG, SVG):"
	@ls $(DEMO)/schedules/* $(DEMO)/pictures/*

test: lint types suite ## install what the tests need, then check style, types and behaviour

lint: $(VENV)/installed-dev ## check style, and who imports whom
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(VENV)/bin/lint-imports --no-cache

types: $(VENV)/installed-dev ## check types
	$(PY) -m mypy

suite: $(VENV)/installed-dev ## run the tests
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n auto --dist worksteal $(PYTEST_OPTIONS)

coverage: $(VENV)/installed-dev ## run the tests and tell what they run: a table of the rooms, pages in build/coverage
	$(MAKE) --no-print-directory suite PYTEST_OPTIONS='--cov --cov-report=html --cov-report=json'
	$(PY) -m docs_tools.coverage build/coverage/report.json

campaign: $(VENV)/installed-dev ## try random inputs on everything: INPUTS=20000 JOBS=2 SEED=0 (minutes to an hour)
	PYTHONPATH=.:tests $(PY) -m campaign $(CAMPAIGN)

lowest: | $(PY) ## run the tests with the lowest versions that pyproject.toml allows
	mkdir -p build
	$(PY) -m docs_tools.lowest > build/lowest.txt
	PYTEST_ADDOPTS='-W default::DeprecationWarning -W default::PendingDeprecationWarning' \
		PIP_CONSTRAINT=$(CURDIR)/build/lowest.txt $(MAKE) --no-print-directory suite \
		VENV=build/lowest TORCH=torch TORCHVISION=torchvision==0.19.0 DEV=test,train,parquet,dask

matrix: ## run the tests on every Python of PYTHONS that this machine has
	@for python in $(PYTHONS); do \
		if command -v python$$python > /dev/null; then \
			$(MAKE) --no-print-directory suite PYTHON=python$$python VENV=build/python$$python || exit 1; \
		else echo "python$$python is not here: skipped"; fi; \
	done

bench: $(VENV)/installed ## measure power control, and time and memory at scale
	$(PY) -m benchmarks.power_control
	$(PY) -m benchmarks.scale

results: $(VENV)/installed ## run all solvers on everything and write docs/results.md (minutes)
	$(PY) -m benchmarks.results

studies: $(VENV)/installed-dev ## run the quick version of every study and make a page of them (minutes each)
	$(VENV)/bin/epsl-opt study --all --quick --output $(STUDIES)
	$(VENV)/bin/epsl-opt report $(STUDIES)

docs: $(VENV)/installed ## write the generated tables and pictures of the documentation anew
	$(PY) -m docs_tools.reference
	$(PY) -m docs_tools.problems docs/problems.md
	$(PY) -m docs_tools.tasks
	$(VENV)/bin/epsl-opt compare paper:fading=rayleigh --output $(PICTURES)
	for kind in comparison allocation gantt; do cp $(PICTURES)/pictures/*--$$kind.png docs/pictures/$$kind.png || exit 1; done

site: $(VENV)/installed-docs ## build the site into build/site, its notebooks run and its links checked; warnings are errors
	$(PY) -m mkdocs build --strict --clean

dist: $(VENV)/installed-release ## build sdist and wheel into dist/, and check them
	rm -rf dist
	$(PY) -m build
	$(PY) -m twine check --strict dist/*

clean: ## remove the environment and everything generated
	rm -rf $(VENV) build dist out *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find epsl_opt solvers problems backends tests examples benchmarks docs_tools -name __pycache__ -type d -prune -exec rm -rf {} +

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
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps '$(TORCHVISION)'
	$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[$(DEV),flower]' || { \
		echo 'Flower does not install here: its tests will be skipped.'; \
		$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[$(DEV)]'; }
	touch $@ $(VENV)/installed

$(VENV)/installed-docs: pyproject.toml | $(PY)
	$(PY) -m pip install --quiet --disable-pip-version-check '$(TORCH)'
	$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	touch $@

$(VENV)/installed-release: pyproject.toml | $(PY)
	$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[release]'
	touch $@
