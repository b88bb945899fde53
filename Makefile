# Nothing but Python (3.10 or newer) and make is needed; see `make help`.

PYTHON ?= python3
# Installed as a user would, and with what the tests need (the project itself in place).
VENV := .venv
TEST_VENV := .venv-test
# The test cluster's ordinary users must be able to read theirs and the Python below it: not below a closed home directory.
CLUSTER_PYTHON ?= /usr/bin/python3
export CLUSTER_VENV ?= /var/tmp/hpc-launch-cluster-venv
# Beside Slurm the test cluster has a Grid Engine; its packages are installed too.
export CLUSTER_GRIDENGINE ?= 1
BENCH_VENV ?= /var/tmp/hpc-launch-bench
# MintPy, for its example: here and on the test cluster.
export MINTPY_VENV ?= /var/tmp/hpc-launch-mintpy-venv

PIP := -m pip --disable-pip-version-check -qq
# What is installed is locked, versions and hashes: `make lock` renews these.
LOCKED_DEMO := requirements/demo.txt
LOCKED_TEST := requirements/test.txt
LOCKED_BENCH := requirements/bench.txt
LOCKED_MINTPY := examples/mintpy/requirements.txt
# What makes and reads the locks, and resolves the newest and the lowest versions.
UV_VENV := .venv-uv
UV := $(UV_VENV)/bin/uv
PACKAGE := pyproject.toml hatch_build.py README.md $(shell find hpc_launch templates site_profiles -type f -not -name '*.pyc')
SCRIPTS := .ci/run tests/cluster/cluster tests/cluster/first-process tests/cluster/install-packages

# Tests start hundreds of Pythons: what these import is to be compiled once.
unexport PYTHONDONTWRITEBYTECODE
# So many tests at once: half of their time they wait, for processes that take two cores.
AT_ONCE := -n 4 --dist worksteal

.PHONY: help demo test test-long test-examples lint format test-counts test-clusters test-newest test-lowest bench lock clean
.DELETE_ON_ERROR:

help:
	@echo 'make demo           estimate pi with a Dask cluster on this machine'
	@echo 'make test           formatting, linting, types, tests'
	@echo 'make test-long      what takes minutes by its nature, and many more examples of what is tried at random'
	@echo 'make test-examples  the READMEs and notebooks of the examples, and the pages of a run in a headless Chromium, on this machine'
	@echo 'make test-counts    what is the same each time: calls and instructions of a start, calls of the submit command (Debian; strace and valgrind)'
	@echo 'make test-clusters  the tests on a real Slurm and Grid Engine over several hosts, made on this machine (Debian, root)'
	@echo 'make test-newest    the tests with the newest versions of all that is required'
	@echo 'make test-lowest    … with the lowest that pyproject.toml allows'
	@echo 'make bench          hpc-launch, dask-jobqueue and a script by hand side by side on the test cluster: about a quarter of an hour, on a quiet machine'
	@echo 'make lock           renew the versions and hashes that demo, tests and the example mintpy install'
	@echo 'make lint           formatting, linting, types alone'
	@echo 'make format         put the formatting right'
	@echo 'make clean          remove what these have made here'

demo: $(VENV)/.installed
	$(VENV)/bin/hpc-launch submit examples/monte-carlo-pi/profile.yaml --wait
	@echo; echo "What the workload wrote (hpc-launch logs):"
	@$(VENV)/bin/hpc-launch logs

test: lint
	$(TEST_VENV)/bin/python -m pytest $(AT_ONCE)

# Not part of the CI.
test-long: $(TEST_VENV)/.installed
	HPC_LAUNCH_TIMES=20 $(TEST_VENV)/bin/python -m pytest $(AT_ONCE) -m 'long or hypothesis'

# One after the other: they measure times.
test-examples: $(TEST_VENV)/.installed $(MINTPY_VENV)/.installed
	$(TEST_VENV)/bin/python -m pytest tests/examples

lint: $(TEST_VENV)/.installed
	$(TEST_VENV)/bin/ruff format --check .
	$(TEST_VENV)/bin/ruff check .
	$(TEST_VENV)/bin/mypy
	$(TEST_VENV)/bin/shellcheck --external-sources $(SCRIPTS)

format: $(TEST_VENV)/.installed
	$(TEST_VENV)/bin/ruff check --fix .
	$(TEST_VENV)/bin/ruff format .

test-counts:
	tests/cluster/install-packages strace valgrind python3 python3-venv
	$(call install_for_clusters)
	$(CLUSTER_VENV)/bin/python -m pytest tests/counts

test-clusters:
	tests/cluster/install-packages
	$(call install_for_clusters,$(MINTPY_VENV)/.installed)
	HPC_LAUNCH_REQUIRE_CLUSTER=1 $(CLUSTER_VENV)/bin/python -m pytest tests/cluster

# The same packages with and without bokeh, which decides how a start goes: pip's dask alone does not bring it.
bench:
	tests/cluster/install-packages strace python3 python3-venv
	$(call install_for_clusters)
	$(MAKE) --no-print-directory $(BENCH_VENV)/with-bokeh/.installed $(BENCH_VENV)/without-bokeh/.installed
	for each in with without; do $(BENCH_VENV)/$$each-bokeh/bin/python $(PIP) install --force-reinstall --no-deps --no-build-isolation . || exit; done
	$(CLUSTER_VENV)/bin/python -m benchmarks.side_by_side --with-bokeh $(BENCH_VENV)/with-bokeh --without-bokeh $(BENCH_VENV)/without-bokeh

# What is newest changes by the day, so the environment is made anew each time.
test-newest: RESOLUTION := highest
test-lowest: RESOLUTION := lowest-direct
test-newest test-lowest: test-%: $(UV_VENV)/.installed
	$(UV) venv --quiet --clear --seed --python $(PYTHON) .venv-$*
	$(UV) pip install --quiet --python .venv-$*/bin/python --resolution $(RESOLUTION) --editable '.[test]'
	.venv-$*/bin/python -m pytest $(AT_ONCE)

# The build backend, which is no requirement of the package, is locked with the rest.
lock: $(UV_VENV)/.installed
	@mkdir -p requirements
	$(call compile,$(LOCKED_DEMO))
	$(call compile,$(LOCKED_TEST),--extra test)
	$(call compile,$(LOCKED_BENCH),benchmarks/requirements.in)
	@$(UV) pip compile examples/mintpy/requirements.in --override examples/mintpy/left-out.txt $(LOCK_OPTIONS) --output-file $(LOCKED_MINTPY)

clean:
	rm -rf $(VENV) $(TEST_VENV) $(UV_VENV) .venv-newest .venv-lowest build dist .ci/reports .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# $(call make_venv,PYTHON): $(@D) anew, with pip in it
define make_venv
@command -v $1 >/dev/null || { echo "there is no $1 here. Name a Python of 3.10 or newer: make PYTHON=..." >&2; exit 1; }
@$1 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	{ echo "hpc-launch needs Python 3.10 or newer; $1 is $$($1 --version 2>&1). Name another: make PYTHON=..." >&2; exit 1; }
@$1 -c 'import ensurepip, venv' 2>/dev/null || \
	{ echo "$1 cannot make environments (no ensurepip). On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
@echo "making $(@D)"
@umask 022 && $1 -m venv --clear $(@D)
endef

# $(call install,PYTHON,LOCK,OPTIONS): what is locked, then the project itself, with the build backend that is locked, too
define install
$1 $(PIP) install --require-hashes -r $2
$1 $(PIP) install --no-deps --no-build-isolation $3 .
endef

# $(call install_for_clusters,FURTHER TARGETS): the environment of Debian's Python, and this project in it as a user has it
define install_for_clusters
$(MAKE) --no-print-directory $(CLUSTER_VENV)/.installed $1
$(CLUSTER_VENV)/bin/python $(PIP) install --force-reinstall --no-deps --no-build-isolation .
endef

# $(call compile,LOCK,OPTIONS): a lock for every Python that the package runs on
define compile
@$(UV_VENV)/bin/python -c 'import tomli; print(*tomli.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' | \
	$(UV) pip compile pyproject.toml - $2 $(LOCK_OPTIONS) --output-file $1
endef
LOCK_OPTIONS := --upgrade --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command 'make lock' --quiet

$(VENV)/.installed: $(PACKAGE) $(LOCKED_DEMO)
	$(call make_venv,$(PYTHON))
	$(call install,$(VENV)/bin/python,$(LOCKED_DEMO))
	@touch $@

$(TEST_VENV)/.installed: pyproject.toml $(LOCKED_TEST)
	$(call make_venv,$(PYTHON))
	$(call install,$(TEST_VENV)/bin/python,$(LOCKED_TEST),--editable)
	@touch $@

$(CLUSTER_VENV)/.installed: pyproject.toml $(LOCKED_TEST)
	$(call make_venv,$(CLUSTER_PYTHON))
	umask 022 && $(CLUSTER_VENV)/bin/python $(PIP) install --require-hashes -r $(LOCKED_TEST)
	@touch $@

$(BENCH_VENV)/%/.installed: pyproject.toml $(LOCKED_BENCH)
	@mkdir -p $(BENCH_VENV)
	$(call make_venv,$(CLUSTER_PYTHON))
	umask 022 && $(@D)/bin/python $(PIP) install --require-hashes -r $(LOCKED_BENCH)
	[ $* = with-bokeh ] || $(@D)/bin/python $(PIP) uninstall --yes bokeh
	@touch $@

# By itself it would bring much that the example does without.
$(MINTPY_VENV)/.installed: $(LOCKED_MINTPY)
	$(call make_venv,$(CLUSTER_PYTHON))
	umask 022 && $(MINTPY_VENV)/bin/python $(PIP) install --require-hashes --no-deps -r $(LOCKED_MINTPY)
	@touch $@

$(UV_VENV)/.installed:
	$(call make_venv,$(PYTHON))
	$(UV_VENV)/bin/python $(PIP) install uv tomli
	@touch $@
