# `make demo`, `make test`, …: the same as `python3 make.py demo`, for those whose fingers say make.
PYTHON ?= python3

demo test lint docs benchmark setup:
	$(PYTHON) make.py $@

.PHONY: demo test lint docs benchmark setup
