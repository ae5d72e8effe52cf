# Two commands: `make compare` runs the comparison, `make test` the tests. Both set everything up.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
CORES ?= 2
INSTALLED = $(VENV)/.installed

ZOO = $(VENV)/.zoo
SITE = $(VENV)/.site

.PHONY: compare test test-all report planted ports zoo upstream site lint clean

# Without a network a fetch may fail; what needs the full data then says so by itself.
compare: $(INSTALLED)  ## Both sides of every example: verdicts on screen, pages in build/reports/.
	-@$(BIN)/parity data fetch cifar10
	$(BIN)/parity report --folder build/reports

# Bytecode is kept whatever the environment says: hundreds of processes read it.
test: export PYTHONDONTWRITEBYTECODE =
# Of what is many alike a draw, another for every commit: PARITY_SEED=… repeats one.
test: $(INSTALLED)  ## Every test, in as many processes as there are $(CORES).
	-@$(BIN)/parity data fetch fashion_mnist
	-@$(BIN)/parity data fetch mnist
	-@$(BIN)/parity data fetch cifar10
	$(BIN)/python -m pytest --numprocesses $(CORES) --durations 10

test-all: export PARITY_LONG = 1
test-all: test  ## The same with all instead of a draw.

report: $(INSTALLED)  ## The committed pages of reports/: full data, all epochs.
	$(BIN)/parity report --full

planted: $(INSTALLED)  ## reports/planted.md, from the planted faults.
	PARITY_LONG=1 PARITY_PLANTED=1 $(BIN)/python -m pytest parity_tests/test_planted_faults.py

ports: $(INSTALLED)  ## reports/ports.md, from the bench of right and wrong ports.
	PARITY_LONG=1 PARITY_PORTS=1 $(BIN)/python -m pytest parity_tests/check/test_bench.py

zoo: $(ZOO)  ## reports/zoo.md, from real pairs of public packages.
	$(BIN)/python -m parity_tests.check.zoo.page

upstream: $(INSTALLED)  ## reports/upstream.md, from what parts between Keras' backends; needs JAX.
	$(BIN)/python -m parity_tests.backends.page

site: $(SITE)  ## build/site: lessons, differences, documents and reports, for the browser.
	$(BIN)/python -m website build

lint: $(INSTALLED)  ## What pre-commit runs.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

$(INSTALLED): pyproject.toml constraints.txt
	@echo "Installing PyTorch, TensorFlow and the rest into $(VENV): a few minutes, about 8 GB."
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Python 3.11 or newer is needed, this is {v.major}.{v.minor}. Name another: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	rm -rf *.egg-info  # of another layout it would be read before the installed one
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(ZOO): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,zoo]'
	@touch $@

$(SITE): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,site]'
	@touch $@

clean:  ## Remove the environment.
	rm -rf $(VENV)
