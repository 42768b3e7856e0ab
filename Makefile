# make demo    a tour on a real recording
# make test    every check and every test; says at the end how long each part took
# make test-fast  the quick checks, the tests beside the code and some of Python, without a wheel: minutes, once all is compiled
# make wheel   dist/*.whl
# make windows-check  the crate mapwave and what it is made of as the compiler for Windows sees them
# make bench   side by side with the peers; QUICK=1 for a look in two minutes
# make lint    formatting, clippy, types, and the licences of dependencies where cargo-deny is installed
# make hostile the table of what hostile files cost; HOSTILE="--interrupt flac" for some, with Ctrl-C
# make fuzz MINUTES=5  every fuzz target for so long, and a table; FUZZ="wav mp4" for some: fuzz/README.md
# make asan, make tsan, make miri  tests under AddressSanitizer, ThreadSanitizer and Miri, where these can be had
# make test-ecosystem  the tests with Ray and the libraries of data sets, which it installs into a place of their own
# make site    the documentation as a site, in site/html; fails where a link leads nowhere
# make darwin  the workspace as the compiler for a Mac sees it, without a Mac; where that can be had, part of the tests
# make coverage  what lines the tests of Rust run, where cargo-llvm-cov is installed
# make release-check  what can be known about a release before anything is published (tools/release.sh)
# make aarch64-lint  the same for Linux on aarch64
# make aarch64  builds for Linux on aarch64, and runs tests there under emulation, where that can be had
#
# Needs cargo, a C compiler and python3 (3.11 or newer); everything else comes from the package registries, into .venv.
# Where FFmpeg's headers and libclang are installed, the wheel brings the plugin over FFmpeg along.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := test
.PHONY: demo test times test-python test-fast test-ecosystem coverage hostile fuzz asan tsan miri wheel bench lint lint-rust \
	lint-python site darwin aarch64-lint aarch64 windows-check release-check clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
MLX := $(if $(filter Darwin,$(shell uname -s)),mlx,mlx[cpu])>=0.32

TIMED := tools/timed.sh

# What the wheel is made of.
SOURCES := $(shell find analysis cli core metadata plugins python rust Cargo.toml Cargo.lock pyproject.toml README.md -type f \
	-not -name '*.pyc' -not -name '*.so' -not -name '*.dylib' -not -path '*/__pycache__*')

# All but the optional plugins that cannot be built here. It is decided once a run, by the first command that needs to know.
WORKSPACE = $(eval WORKSPACE := --workspace $$(shell plugins/bundle.sh --excluded))$(WORKSPACE)

demo: $(VENV)/demo
	$(BIN)/python demo/demo.py

test: times
	$(MAKE) --no-print-directory $(VENV)/packages
	$(MAKE) --no-print-directory -j2 lint-rust $(VENV)/test
	$(MAKE) --no-print-directory lint-python
	if cargo nextest --version >/dev/null 2>&1; then \
		$(TIMED) "compiling the tests" cargo nextest run $(WORKSPACE) --no-run && \
		$(TIMED) "tests of Rust" cargo nextest run $(WORKSPACE) && \
		$(TIMED) "examples in Rust's documentation" cargo test $(WORKSPACE) --doc; \
	else $(TIMED) "tests of Rust" cargo test $(WORKSPACE) --no-fail-fast; fi
	$(TIMED) fixtures $(BIN)/python fixtures/make.py --check
	$(MAKE) --no-print-directory -j2 test-python darwin aarch64-lint
	cat target/times

# Tests wait and sleep a lot. Those of a file run in the same process.
test-python: $(VENV)/test
	$(TIMED) "tests of Python" $(BIN)/python -m pytest -n 2 --dist loadfile

# The seconds that each part takes, from here on.
times:
	mkdir -p target && rm -f target/times
	$(TIMED) "what can be built" plugins/bundle.sh --excluded >/dev/null

test-fast: $(VENV)/packages
	tools/test-fast.sh

coverage:
	if ! cargo llvm-cov --version >/dev/null 2>&1; then \
		echo "skipped: cargo-llvm-cov is not installed (cargo install --locked cargo-llvm-cov; rustup component add llvm-tools)"; \
	elif cargo nextest --version >/dev/null 2>&1; then cargo llvm-cov nextest $(WORKSPACE) --no-fail-fast --html $(COVERAGE); \
	else cargo llvm-cov $(WORKSPACE) --no-fail-fast --html $(COVERAGE); fi

release-check:
	tools/release.sh

# These packages are large, and what they bring along changes what other tests find.
test-ecosystem: dist/.built
	$(PYTHON) -m venv $(VENV)-ecosystem
	$(VENV)-ecosystem/bin/python -m pip --disable-pip-version-check --quiet install 'ray[data]>=2.60' datasets webdataset \
		mlx-data fsspec '$(MLX)' numpy soundfile pytest $(ECOSYSTEM)
	$(VENV)-ecosystem/bin/python -m pip --disable-pip-version-check --quiet install --force-reinstall --no-deps dist/*.whl
	$(VENV)-ecosystem/bin/python -m pytest tests/python/test_ray.py tests/python/test_transcode.py \
		tests/python/test_adapters_*.py
	$(VENV)-ecosystem/bin/python -m pytest tests/python/test_docs.py -k integrations

hostile: $(VENV)/test
	$(BIN)/python tests/hostile $(HOSTILE)

fuzz:
	fuzz/run --minutes $(or $(MINUTES),1) $(FUZZ)

asan:
	tools/sanitizers.sh address

tsan:
	tools/sanitizers.sh thread

miri:
	tools/sanitizers.sh miri

lint: lint-rust lint-python

lint-rust:
	cargo fmt --all --check
	$(TIMED) clippy cargo clippy $(WORKSPACE) --all-targets -- -D warnings
	if ! cargo deny --version >/dev/null 2>&1; then \
		echo "skipped: cargo deny (licences, sources and bans of dependencies), which is not installed"; \
	elif ! cargo fetch --locked --quiet; then \
		echo "skipped: cargo deny, since the crates for other systems cannot be fetched"; \
	else cargo deny --locked check --hide-inclusion-graph licenses bans sources; fi

lint-python: $(VENV)/test
	$(TIMED) ruff $(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python python/stubs --check
	$(TIMED) mypy $(BIN)/python -m mypy
	$(TIMED) stubtest $(BIN)/python -m mypy.stubtest --allowlist tests/python/stubtest.allowlist mapwave._core mapwave.errors mapwave.numpy

# In a place of its own, since the tests need none of it. The pages of the crate link to those of the crates that it is made
# of, if these are there first.
RUSTDOC := RUSTDOCFLAGS="-D rustdoc::broken_intra_doc_links" cargo doc --locked --no-deps
site: $(VENV)-site/installed
	$(VENV)-site/bin/python tools/site stage
	$(VENV)-site/bin/zensical build --strict --clean
	rm -rf target/doc/mapwave
	$(RUSTDOC) -p mapwave-core -p mapwave-analysis -p mapwave-metadata -p mapwave-plugin -p mapwave-plugin-abi
	$(RUSTDOC) -p mapwave
	rm -rf site/html/rustdoc && cp -r target/doc site/html/rustdoc
	$(VENV)-site/bin/python tools/site check

# They run beside other things, and give way to them.
CROSS_CHECK := nice tools/platforms/cross-check.sh
FOR_OTHERS := --quiet --all-targets --locked -- -D warnings

# On a Mac the rest of the checks sees it that way.
darwin:
	$(if $(filter Darwin,$(shell uname -s)),,$(TIMED) "check for a Mac" $(CROSS_CHECK) darwin clippy $(FOR_OTHERS))

aarch64-lint:
	$(if $(filter aarch64 arm64,$(shell uname -m)),,$(TIMED) "check for aarch64" $(CROSS_CHECK) aarch64 clippy $(FOR_OTHERS))

# The crate mapwave and what it is made of; of the core the tests too.
windows-check:
	tools/platforms/cross-check.sh windows clippy --locked -p mapwave $(addprefix -p mapwave-,analysis builtin core plugin fork \
		metadata plugin-abi edits codec-base aac alac flac mp3 vorbis) -- -D warnings
	tools/platforms/cross-check.sh windows clippy --locked -p mapwave-core --tests -- -D warnings

aarch64:
	tools/platforms/aarch64.sh

wheel: dist/.built

bench: $(VENV)/bench
	$(if $(PEERS),$(PIP) install $(PEERS))
	$(BIN)/python benches/compare.py $(if $(QUICK),--quick) $(BENCH)

# The environment, and what is installed in it for each purpose.

$(VENV)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "mapwave needs Python 3.11 or newer; name one with make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install 'maturin>=1.9,<2'
	touch $@

dist/.built: $(VENV)/python $(SOURCES)
	rm -rf dist
	$(TIMED) "plugins of the wheel" plugins/bundle.sh --wheel
	$(TIMED) wheel $(BIN)/maturin build --release --locked --out dist
	touch $@

$(VENV)/installed: dist/.built
	$(PIP) install --force-reinstall --no-deps dist/*.whl
	touch $@

$(VENV)/demo: $(VENV)/installed
	$(PIP) install '$(MLX)' numpy matplotlib
	touch $@

# What tests and checks need besides mapwave.
$(VENV)/packages: $(VENV)/python
	$(PIP) install '$(MLX)' numpy soundfile jax ml_dtypes 'fsspec[http]' pytest pytest-xdist ruff mypy
	touch $@

$(VENV)/test: $(VENV)/installed $(VENV)/packages
	touch $@

$(VENV)-site/installed: dist/.built
	$(PYTHON) -m venv $(VENV)-site
	$(VENV)-site/bin/python -m pip --disable-pip-version-check --quiet install 'zensical>=0.0.73,<0.1' numpy
	$(VENV)-site/bin/python -m pip --disable-pip-version-check --quiet install --force-reinstall --no-deps dist/*.whl
	touch $@

$(VENV)/bench: $(VENV)/installed
	$(PIP) install '$(MLX)' numpy soundfile soxr matplotlib
	$(PIP) install mlx-audio-io==1.3.24 || echo "mlx-audio-io was not built, so it stays out of the table: it needs \
	the headers of FFmpeg, and those of soxr to resample well (apt install pkg-config libavformat-dev libavcodec-dev \
	libavutil-dev libswresample-dev libsoxr-dev)"
	for peer in librosa av audioread; do $(PIP) install $$peer || echo "$$peer stays out of the table"; done
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-ecosystem $(VENV)-site site dist demo-out mapwave-bench target python/mapwave/plugins python/mapwave/include
