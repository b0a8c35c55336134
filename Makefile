# One command a job. Each makes what it needs in .venv: nothing but Python 3.11+, make and a package index is wanted.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check bench lock catalogues reference clean

demo: .venv/ready
	$(BIN)/digest demo --out demo

test: .venv/ready-to-test
	$(BIN)/pytest --numprocesses auto --dist loadfile

check: .venv/ready-to-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/ready-to-test
	$(BIN)/python -m benchmarks

.venv/bin/pip:
	$(PYTHON) -m venv .venv

.venv/ready: .venv/bin/pip pyproject.toml requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

.venv/ready-to-test: .venv/ready requirements-test.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	touch $@

# After a change of the dependencies in pyproject.toml. The locks hold hashes and no address.
lock:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links pyproject.toml --extra postgresql --output-file requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links pyproject.toml --extra test --output-file requirements-test.lock
	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
		| $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --constraint requirements-test.lock --output-file requirements-build.lock -

# After a change of words: what is new stands in the catalogues untranslated, which a test tells.
catalogues: .venv/ready-to-test
	$(BIN)/pybabel --quiet extract --mapping-file pyproject.toml --keywords N_ --no-location --sort-output \
		--omit-header --output-file build/digest.pot .
	for catalogue in data/locales/*.po; do \
		$(BIN)/pybabel --quiet update --input-file build/digest.pot --output-file $$catalogue --no-fuzzy-matching \
			--ignore-obsolete --width 120 --locale $$(basename $$catalogue .po); \
	done

# After a change of a command, an option or a help text.
reference: .venv/ready-to-test
	$(BIN)/python -m tests.cli.command_reference > docs/commands.md

clean:
	rm -rf .venv demo build dist
