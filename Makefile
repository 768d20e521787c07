# Each target sets up by itself whatever is missing; setup.sh says what it needs and why.
BIN := .venv/bin

.PHONY: demo test lint bench clean

.venv/ready: pyproject.toml constraints.txt setup.sh
	./setup.sh
	touch $@

demo: .venv/ready  ## a living province in one command; SERVE=1 keeps the collector up
	$(BIN)/jangkau demo --out demo $(if $(SERVE),--serve)

test: .venv/ready
	$(BIN)/pytest -n 2 --dist loadfile

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/ready  ## ours beside our peers, as ratios; BENCH=name for one
	$(BIN)/python -m bench $(BENCH)

clean:
	rm -rf .venv demo data .mypy_cache .ruff_cache .pytest_cache
