# What to type on a fresh machine with Python 3.11 or newer and make; `make help` lists it.

PYTHON ?= python3
CORES ?= $(shell getconf _NPROCESSORS_ONLN)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
# Installs a list of packages, and says how far it is: with -qq a minute goes by without a word. Of a pipe only the last
# program's status counts, so that a failure is noted in a file.
PACKAGES = rm -f $(VENV)/failed; \
	{ $(BIN)/python -m pip --disable-pip-version-check install --requirement $(1) || touch $(VENV)/failed; } 2>&1 | awk ' \
	/^ERROR/ { failed = 1 } failed { print | "cat >&2" } \
	/^Collecting / && ++n % 10 == 0 { print "  " n " packages found, " $$2 " last"; fflush() } \
	/^Installing collected/ { print "  Unpacking them"; fflush() }'; test ! -e $(VENV)/failed
READERS := .venv-readers
READERS_PIP := $(READERS)/bin/python -m pip -qq --disable-pip-version-check
CLUSTER := .venv-cluster
CLUSTER_PIP := $(CLUSTER)/bin/python -m pip -qq --disable-pip-version-check
FLOOR := .venv-floor
FLOOR_PIP := $(FLOOR)/bin/python -m pip -qq --disable-pip-version-check
FLOOR_RUN := $(FLOOR)/run
OLDEST_SNAKEMAKE = $(shell sed -n 's/^ *"snakemake>=\([0-9.]*\)".*/\1/p' pyproject.toml)
# Each file of tests in one process, for the projects that its tests share, in the order of tests/conftest.py; one
# process more than there are cores, since some always wait for a disk or a server.
PARALLEL := -n $(shell echo $$(($(CORES) + 1))) --dist loadfile --no-loadscope-reorder
SOURCES := workflow profiles tests envs benchmarks docs

# What somebody's shell says to other Pythons, and of where packages go, is not for the environments made here.
unexport PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_ROOT
export PYTHONNOUSERSITE := 1
export PIP_USER := 0

.DEFAULT_GOAL := help
.PHONY: help env env-cluster demo test test-readers test-cluster test-floor coverage lint format lock bench bench-scale soak clean

help:
	@echo 'make demo          a made-up ILSVRC2012 through the whole workflow, into demo/results'
	@echo 'make env           the environment for the real one: .venv/bin/snakemake --cores N'
	@echo 'make env-cluster   the environment for Slurm and PBS: $(CLUSTER)/bin/snakemake --profile profiles/slurm'
	@echo 'make test          the whole test suite'
	@echo 'make test-readers  reads results with TensorFlow, PyTorch, DALI and others, in an environment of their own'
	@echo 'make test-cluster  runs the workflow on a Slurm that it starts on this machine (as root; about 7 minutes)'
	@echo 'make test-floor    runs the demo with the oldest Snakemake that pyproject.toml allows, in an environment of its own'
	@echo 'make coverage      the whole test suite, and which lines of the library it does not run'
	@echo 'make lint          ruff, mypy, snakefmt, shellcheck and snakemake --lint'
	@echo 'make format        formats the sources'
	@echo 'make lock          envs/ anew after a change of the dependencies in pyproject.toml'
	@echo 'make bench         times every stage against md5sum, tar, TFDS and others'
	@echo 'make bench-scale   times the whole workflow on 1.33 million tiny images, and on half of them'
	@echo 'make soak          all attacks on what docs/promises.md promises: kills, damage, hostile input, power cuts (hours)'
	@echo 'make clean         removes .venv, $(READERS), $(CLUSTER), $(FLOOR), demo/ and the caches of tools; no results, no archives'
	@echo
	@echo 'PYTHON=python3.12 chooses the interpreter of a new .venv, CORES=4 the cores of the demo.'

env: $(VENV)/installed
	@echo 'Ready: .venv/bin/snakemake --cores N'

env-cluster: $(CLUSTER)/installed
	@echo 'Ready: $(CLUSTER)/bin/snakemake --profile profiles/slurm (or profiles/pbs); docs/hpc.md says more'

demo: $(VENV)/installed
	@$(BIN)/snakemake --cores $(CORES) all demo/results/scores/demo.json --configfile config/config.yaml config/demo.yaml
	@echo 'All of it on one page, the scores of a made-up model included: open demo/results/report/index.html in a browser'

test: $(VENV)/installed-test
	@$(BIN)/python -m pytest $(PARALLEL)

test-readers: $(READERS)/installed
	@$(READERS)/bin/python -m pytest tests/readers

test-cluster: $(VENV)/installed-test $(CLUSTER)/installed
	@$(BIN)/python -m pytest tests/cluster

# Twice: this one has to know again what it has made, too. What it leaves is there to be looked at where it fails.
test-floor: DEMO = $(FLOOR)/bin/snakemake --cores $(CORES) --directory $(FLOOR_RUN) all demo/results/scores/demo.json \
	--configfile config/config.yaml config/demo.yaml
test-floor: $(FLOOR)/installed
	@rm -rf $(FLOOR_RUN)
	@$(DEMO)
	@grep -q '^ "ok": true' $(FLOOR_RUN)/demo/results/audit.json || { \
		echo '$(FLOOR_RUN)/demo/results/audit.json does not say ok' >&2; exit 1; }
	@$(DEMO) 2>&1 | grep 'Nothing to be done' || { \
		echo 'A second run finds something to do: $(DEMO)' >&2; exit 1; }
	@rm -rf $(FLOOR_RUN)

coverage: $(VENV)/installed-test
	@rm -rf .coverage && mkdir .coverage
	@$(BIN)/coverage run -m pytest $(PARALLEL)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

lint: $(VENV)/installed-test
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/snakefmt --check Snakefile workflow/Snakefile workflow/rules
	@$(BIN)/snakemake --lint
	@$(BIN)/shellcheck .ci/run

format: $(VENV)/installed-test
	@$(BIN)/ruff check --fix --quiet $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/snakefmt Snakefile workflow/Snakefile workflow/rules

lock: $(VENV)/installed-test
	@$(PIP) install uv
	@$(BIN)/python envs/lock.py

bench: $(VENV)/installed
	@$(BIN)/python benchmarks/bench.py
	@$(BIN)/python benchmarks/writing.py
	@$(BIN)/python benchmarks/reading.py

bench-scale: $(VENV)/installed
	@$(BIN)/python benchmarks/scale.py

soak: $(VENV)/installed-test
	@$(BIN)/python tests/download/soak.py
	@$(BIN)/python tests/faults/kills.py --kills 100
	@$(BIN)/python tests/faults/bits.py --cases 2000
	@$(BIN)/python tests/faults/edits.py --edits 1000
	@$(BIN)/python tests/faults/hostile.py --examples 5000
	@$(BIN)/python tests/faults/disk.py --points 10
	@$(BIN)/python tests/faults/power.py --cuts 30

clean:
	rm -rf $(VENV) $(READERS) $(CLUSTER) $(FLOOR) demo workflow/imagenet_prep.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/installed: envs/lock.txt | $(BIN)/pip
	@echo 'Installing imagenet-prep and what it needs into $(VENV) (once; about a minute)'
	@$(call PACKAGES,envs/lock.txt)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-test: envs/lock-test.txt $(VENV)/installed
	@echo 'Installing what the tests need into $(VENV)'
	@$(call PACKAGES,envs/lock-test.txt)
	@touch $@

# --no-compile: most of these gigabytes are never imported. torch is not locked, since the file to be taken depends on
# the machine: pip finds a build without CUDA where it is told of one (PIP_FIND_LINKS, PIP_EXTRA_INDEX_URL), and else
# takes PyPI's with all of CUDA. torchvision is the release for this torch, and would bring another one, as timm would.
$(READERS)/installed: envs/lock-readers.txt | $(READERS)/bin/pip
	@echo 'Installing the programs that read the results into $(READERS) (once; some minutes, 4 GB)'
	@$(READERS_PIP) install --no-compile --no-deps --requirement envs/lock-readers.txt
	@$(READERS_PIP) install --no-compile torch==2.13.0
	@$(READERS_PIP) install --no-compile --no-deps torchvision==0.28.0 timm==1.0.31
	@$(READERS_PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# An environment of its own, since with the plugin for Slurm every start of snakemake asks Slurm's controller.
$(CLUSTER)/installed: envs/lock-cluster.txt | $(CLUSTER)/bin/pip
	@echo 'Installing imagenet-prep and what it needs on a cluster into $(CLUSTER) (once; about a minute)'
	@$(CLUSTER_PIP) install --requirement envs/lock-cluster.txt
	@$(CLUSTER_PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# The lock, but for Snakemake: of the other packages nobody's floor is tried.
$(FLOOR)/installed: envs/lock.txt pyproject.toml | $(FLOOR)/bin/pip
	@echo 'Installing the oldest Snakemake and what it needs into $(FLOOR) (once; about a minute)'
	@$(FLOOR_PIP) install --requirement envs/lock.txt
	@$(FLOOR_PIP) install snakemake==$(OLDEST_SNAKEMAKE)
	@$(FLOOR_PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(BIN)/pip $(READERS)/bin/pip $(CLUSTER)/bin/pip $(FLOOR)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'imagenet-prep needs Python 3.11 or newer, and "$(PYTHON)" is not that.' >&2; \
		echo 'Install it, or name another one: make env PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo 'This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	@case "$$(pwd -P)" in *[\"\$$\`\\{}:]*) \
		printf 'No environment can be made here: %s\n' "$$(pwd -P)" >&2; \
		printf '%s\n' 'Its programs do not start from a path that holds one of " $$ ` \ { } : so move this clone.' >&2; \
		exit 1;; esac
	@echo 'Making a virtual environment in $(@:/bin/pip=)'
	@$(PYTHON) -m venv $(@:/bin/pip=) || { \
		echo 'The environment could not be made. If this disk has no symbolic links (FAT, exFAT), or may not run programs,' >&2; \
		echo 'clone to another one; archives_dir and output_dir may be here all the same.' >&2; exit 1; }
