# Both targets set everything up by themselves: a virtual environment in .venv, and in it the project.
#
#   make demo    the main job on the embedded defaults
#   make test    the whole suite
#
# PYTHON names the interpreter (3.11 or later), VENV the folder of the environment.

PYTHON ?= python3
VENV   ?= .venv

export PIP_DISABLE_PIP_VERSION_CHECK = 1
# setuptools warns of every editable install; what goes wrong is an error and is shown.
INSTALL = PYTHONWARNINGS=ignore $(VENV)/bin/pip install --quiet --editable

.PHONY: demo test lint format types clean

demo: $(VENV)/.fivebyte
	@$(VENV)/bin/fivebyte demo

test: $(VENV)/.fivebyte-dev
	@sh .ci/get-redis
	$(VENV)/bin/python -m pytest

lint: $(VENV)/.fivebyte-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

format: $(VENV)/.fivebyte-dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

types: $(VENV)/.fivebyte-dev
	$(VENV)/bin/mypy

# What an install builds: what is native, where there is a C compiler.
NATIVE = setup.py $(wildcard serde/codec/native/*.p[yx][xd] broker_adapter/filelog/native/*.p[yx][xd]) \
	broker_adapter/filelog/gathering.py

# A development install serves the demo as well: it is not made twice.
$(VENV)/.fivebyte: pyproject.toml $(NATIVE) | $(VENV)/bin/pip
	@echo 'Installing fivebyte in $(VENV)'
	@test -e $(VENV)/.fivebyte-dev || $(INSTALL) .
	@touch $@

$(VENV)/.fivebyte-dev: pyproject.toml $(NATIVE) | $(VENV)/bin/pip
	@echo 'Installing fivebyte and what its tests need in $(VENV)'
	@$(INSTALL) '.[dev]'
	@touch $@

$(VENV)/bin/pip:
	@PYTHON='$(PYTHON)' sh .ci/make-venv '$(VENV)'

clean:
	rm -rf $(VENV) .cache build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
