# Every target sets up what it needs; a clone needs only Python 3.11+ and make.
.DEFAULT_GOAL := help
.PHONY: help setup demo test cover check lint types contracts soak fuzz bench lock clean
PY := .venv/bin/python
# Without cached bytecode every start of a command costs seconds.
unexport PYTHONDONTWRITEBYTECODE

help: ## Say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

setup: ## Make .venv with everything pinned
	@scripts/setup.sh

demo: setup ## Run the whole story on a harmless town, with the console open
	@.venv/bin/nightlight demo

test: setup ## Run every test, browser included
	@scripts/browser.sh
	@$(PY) -m pytest -q -n 2 --dist loadgroup -m "not soak"

cover: setup ## Hold every branch of what judges and reports to a test
	@$(PY) -m pytest -q $(addprefix --cov=nightlight.,model decide enforce report audit) --cov-branch \
		--cov-fail-under=100 --cov-report=term-missing:skip-covered $(addprefix tests/unit/,model decide \
		enforce report audit review verifier/test_verifier.py)

check: lint types contracts test ## What CI runs

lint: setup ## Formatting and lint
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .

types: setup ## Types
	@$(PY) -m mypy

contracts: setup ## Who may import whom
	@.venv/bin/lint-imports

soak: setup fuzz ## Long fault and scale runs
	@$(PY) -m pytest -q -m soak

fuzz: setup ## Look for texts that break the normaliser, ten minutes (x86-64 Linux)
	@scripts/setup_bench.sh
	@.venv-bench/bin/python -m tests.fuzz.normaliser -max_total_time=600 -max_len=600 -len_control=0

bench: setup ## Measure, side by side with peers
	@scripts/setup_bench.sh
	@$(PY) -m benchmarks.run
	@$(PY) -m benchmarks.policy
	@$(PY) -m benchmarks.record
	@$(PY) -m benchmarks.reconcile --suspensions 20000 --everything 100
	@$(PY) -m benchmarks.year --sellers 1000
	@$(PY) -m benchmarks.networks --accounts 30000
	@$(PY) -m benchmarks.offers --seeds 3
	@$(PY) -m benchmarks.spellings
	@$(PY) -m benchmarks.whole --towns 5
	@$(PY) -m benchmarks.terms --posts 6000 --terms 100000
	@$(PY) -m benchmarks.hunts --posts 100000
	@.venv-bench/bin/python -m benchmarks.index --n 1000000
	@.venv-bench/bin/python -m benchmarks.hashing
	@.venv-bench/bin/python -m benchmarks.video
	@.venv-bench/bin/python -m benchmarks.robustness --pictures 150 --negatives 1500
	@$(PY) -m benchmarks.http --n 100000

lock: ## Pin again (needs uv)
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --group dev \
		--custom-compile-command "make lock" pyproject.toml -o requirements.lock
	@# perception asks for an older rich than the command line is written for
	@echo 'rich>=14' | uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
		--group dev --group bench --override /dev/stdin --constraint requirements.lock \
		--custom-compile-command "make lock" pyproject.toml -o requirements-bench.lock

clean: ## Take away what the targets made
	rm -rf .venv .venv-bench .tools .mypy_cache .ruff_cache .pytest_cache .nightlight-demo
