# Two commands: `make compare` runs the comparison, `make test` the tests. Both set everything up.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
INSTALLED = $(VENV)/.installed

.PHONY: compare test report planted ports lint clean

# Without a network a fetch may fail; what needs the full data then says so by itself.
compare: $(INSTALLED)  ## Both sides of every example, verdicts on screen, reports/ written.
	-@$(BIN)/parity data fetch cifar10
	$(BIN)/parity report

test: $(INSTALLED)  ## All tests.
	-@$(BIN)/parity data fetch fashion_mnist
	-@$(BIN)/parity data fetch mnist
	-@$(BIN)/parity data fetch cifar10
	$(BIN)/python -m pytest

report: $(INSTALLED)  ## The committed reports: full data, all epochs.
	$(BIN)/parity report --full

planted: $(INSTALLED)  ## reports/planted.md, from the planted faults.
	PARITY_PLANTED=1 $(BIN)/python -m pytest parity_tests/test_planted_faults.py

ports: $(INSTALLED)  ## reports/ports.md, from the bench of right and wrong ports.
	PARITY_LONG=1 PARITY_PORTS=1 $(BIN)/python -m pytest parity_tests/check/test_bench.py

lint: $(INSTALLED)  ## What pre-commit runs.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(INSTALLED): pyproject.toml constraints.txt
	@echo "Installing PyTorch, TensorFlow and the rest into $(VENV): a few minutes, about 8 GB."
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Python 3.11 or newer is needed, this is {v.major}.{v.minor}. Name another: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	rm -rf *.egg-info  # of another layout it would be read before the installed one
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

clean:  ## Remove the environment.
	rm -rf $(VENV)
