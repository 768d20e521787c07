# Each target sets up by itself whatever is missing; setup.sh says what it needs and why.
BIN := .venv/bin

.PHONY: demo test lint bench faults probe clean

.venv/ready: pyproject.toml constraints.txt setup.sh
	./setup.sh
	touch $@

.venv/tested: .venv/ready
	./setup.sh test
	touch $@

demo: .venv/ready  ## a living province in one command; SERVE=1 keeps the collector up
	$(BIN)/jangkau demo --out demo $(if $(SERVE),--serve)

test: .venv/tested
	$(BIN)/pytest -n 2 --dist loadfile

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/tested  ## ours beside our peers, as ratios; BENCH=name for one
	$(BIN)/python -m bench $(BENCH)

faults: .venv/tested  ## the long runs of the fault tests, by hand before a release
	JANGKAU_FAULTS=500 $(BIN)/pytest -m faults

probe: .venv/ready  ## dist/jangkau-probe.pyz: the village probe in one file
	$(BIN)/python probes/packaging/build.py

clean:
	rm -rf .venv demo data .mypy_cache .ruff_cache .pytest_cache
