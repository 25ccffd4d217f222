# `make run` and `make test` need Python 3.11, git and make; the environment is .venv, made on first use.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help env run test attack check lint types contracts lock clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

.venv/.complete: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Refract needs Python 3.11 or newer, found " + sys.version.split()[0] + "; try: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

env: .venv/.complete  ## make the environment (locked versions)

run: env  ## run the main job on the sample that ships with the project
	@$(BIN)/refract run
	@$(BIN)/refract search --view topic --view emotion -k 3 \
	  'my parcel never came and I am furious' \
	  'You billed my card two times and I am scared, please reassure me' \
	  'thank you, the lamp broke but your colleague was lovely about it'

test: env  ## run every test
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

attack: env  ## hostile pages, clones, kills and inputs, by the thousand (half an hour)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m attack tests

check: lint types contracts test  ## lint, types, import contracts, tests

lint: env
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: env
	$(BIN)/mypy

contracts: env
	$(BIN)/lint-imports

lock:  ## resolve anew and write constraints.txt
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet '.[dev]'
	head -2 constraints.txt > constraints.new
	.venv-lock/bin/python -m pip freeze --exclude refract | sed 's/+cpu$$//' >> constraints.new
	mv constraints.new constraints.txt && rm -rf .venv-lock

clean:  ## remove what was made from the sample, keep the inputs
	rm -rf data/corpus data/vectors data/transforms data/views data/metrics data/quarantine dvc.lock .refract
