# make run         starts llmux on its built-in scenario; ARGS="--config FILE" for your own
# make test        runs every test under both runners and compares the counts
# make lint        ruff and mypy --strict
# make lock        writes the lock files again; LOCK_ARGS=--upgrade takes newer releases
# make outdated    names the pins of the lock files that have a newer release
# make deb         builds the Debian package into dist/, on Debian 12 or 13; as root it installs what the build needs
# make wheelhouse  fetches what the package is built from into wheelhouse/; dpkg-buildpackage then needs no network
#
# Each makes its own virtual environment from the lock files; but for the build's needs that `make deb` installs as root, nothing
# outside this folder is touched.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
LOCK_ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

LOCKS := requirements.lock requirements-build.lock requirements-package.lock requirements-test.lock

.PHONY: run test lint lock outdated wheelhouse deb clean
.DELETE_ON_ERROR:

run: $(VENV)/run.stamp
	exec $(BIN)/llmux run $(ARGS)

test: $(VENV)/test.stamp
	$(BIN)/python scripts/run_tests.py

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict

# Two steps, one environment: what runs is installed first, the tests add theirs without changing it. The project itself
# comes last and editable, so that twistd finds the plugin and `llmux` is a command.
$(VENV)/run.stamp: requirements-build.lock requirements.lock setup.py pyproject.toml | $(VENV)/bin/python
	@echo "llmux: installing what it runs on into $(VENV)"
	@$(PIP) install --require-hashes -r requirements-build.lock -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp requirements-test.lock
	@echo "llmux: installing what its tests need into $(VENV)"
	@$(PIP) install --require-hashes -r requirements-test.lock
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "llmux: needs Python 3.11 or newer; name one with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "llmux: $(PYTHON) cannot make virtual environments; install them (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# Resolved on the oldest Python: a package that only an older Python needs is then in the lock for all of them, and
# tests/packaging/test_locks.py proves that the newer ones miss none.
LOCK_VENV := .venv-lock
COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(LOCK_VENV)/bin/pip-compile --quiet --generate-hashes --allow-unsafe --no-strip-extras \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options --newline=lf $(LOCK_ARGS)

lock:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "llmux: the lock is resolved on Python 3.11, the oldest one served; name it with PYTHON=..." >&2; exit 1; }
	@test -x $(LOCK_VENV)/bin/pip-compile || { $(PYTHON) -m venv $(LOCK_VENV) && \
	  $(LOCK_VENV)/bin/python -m pip --disable-pip-version-check --quiet install pip-tools==7.6.2; }
	$(COMPILE) --only-build-deps --build-deps-for=editable --build-deps-for=wheel -o requirements-build.lock pyproject.toml
	$(COMPILE) -o requirements.lock setup.py
	$(COMPILE) -c requirements-build.lock -c requirements.lock -o requirements-package.lock requirements-package.in
	$(COMPILE) --extra=test --extra=dev -c requirements-build.lock -c requirements.lock -c requirements-package.lock \
	  -o requirements-test.lock setup.py requirements-package.in

# Asked of the environment that holds them all, so that pip says what is newest as it would install it.
outdated: $(VENV)/test.stamp
	@$(BIN)/python -m pip --disable-pip-version-check list --outdated --format=json | $(BIN)/python scripts/outdated.py $(LOCKS)

# What the package is built from, for Debian's own Python, whatever `python3` is here. This is the one step that asks a registry,
# with the machine's own pip configuration; the hashes of the lock files are checked here and once more by debian/rules.
# WHEELS_FOR=3.13 fetches for the Python of another release.
DEBIAN_PYTHON := /usr/bin/python3
WHEELS_FOR ?=
# glibc's versions up to Debian 12's, which is the oldest that is served
TAGS = $(foreach minor,$(shell seq 17 36),manylinux_2_$(minor)) manylinux2014
FOREIGN = --implementation cp --python-version $(WHEELS_FOR) $(foreach tag,$(TAGS),--platform $(tag)_$(shell uname -m))

wheelhouse:
	@$(DEBIAN_PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { echo "llmux: $(DEBIAN_PYTHON) cannot make virtual environments; install python3-venv" >&2; exit 1; }
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && $(DEBIAN_PYTHON) -m venv "$$scratch" && "$$scratch/bin/python" -m pip \
	  --disable-pip-version-check --quiet download --require-hashes --no-deps --only-binary :all: $(if $(WHEELS_FOR),$(FOREIGN)) \
	  --dest wheelhouse $(foreach lock,$(filter-out %-test.lock,$(LOCKS)),-r $(lock))
	@echo "llmux: the wheels for $(if $(WHEELS_FOR),Python $(WHEELS_FOR),$(DEBIAN_PYTHON)) are in wheelhouse/"

deb:
	@scripts/deb.sh

clean:
	rm -rf .venv .venv-lock build dist wheelhouse *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis _trial_temp*
