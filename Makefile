# The things a person wants:
#   make            bin/apus, the release: an Embedded Swift static executable
#   make shell      a shell in a small root file system (CMD='...' runs a command instead)
#   make test       all tests: unit, on this host, in a virtual machine, under engines
#   make lint docs bench deb install PREFIX=... DESTDIR=...
# Less often: debug, test-unit, test-conformance, share, fixtures, image, test-vm, test-engines RUNTIME=..., test-core, clean.

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=
RUNTIME ?= bin/apus
# What `install` and `deb` install.
BINARY ?= bin/apus
ROOTFS ?= rootfs-examples/busybox

# The toolchain's usr directory, for the one static library that the linker is not told of.
toolchain = $(realpath $(dir $(shell command -v $(SWIFT)))..)
unicode = $(toolchain)/lib/swift/embedded/x86_64-unknown-linux-gnu/libswiftUnicodeDataTables.a

init_sources = $(wildcard Sources/CInit/*.c)
init_image = .build-init/apus-init
has_musl = $(shell command -v musl-gcc)
# The kernel's headers are not among musl's: looked for behind them.
init_cc = $(if $(has_musl),musl-gcc -idirafter /usr/include -idirafter /usr/include/$(shell uname -m)-linux-gnu,cc)
init_flags = -static -Os -ffunction-sections -fdata-sections -Wl,--gc-sections -Wl,-s

.PHONY: all release debug shell test test-unit test-conformance test-vm test-engines test-core lint docs bench \
	fixtures image install deb share clean packages

all: release

release: $(init_image)
	Tests/build-release "$(SWIFT)" "$(init_image)" "$(unicode)"

$(init_image): $(init_sources) $(wildcard Sources/CInit/*.h Sources/CInit/include/*.h)
	@mkdir -p $(@D)
	$(init_cc) $(init_flags) -ISources/CInit/include -DAPUS_INIT_STANDALONE $(init_sources) -o $@

debug:
	$(SWIFT) build --product apus

# A newcomer's first command: whatever is missing on a fresh Debian is installed (by root) or named.
# What make was given, not what make would make of a dollar.
shell: override export CMD := $(value CMD)
shell: packages
	@test -x bin/apus || $(MAKE) --no-print-directory release
	@test -d $(ROOTFS)/rootfs || $(MAKE) --no-print-directory fixtures
	@bin/apus shell $(ROOTFS)/rootfs $(if $(CMD),-- /bin/sh -c "$$CMD")

packages:
	@.ci/install-packages build

fixtures:
	cd $(ROOTFS) && ./build

test:
	Tests/all

test-unit:
	$(SWIFT) test

test-conformance:
	@test -x $(RUNTIME) || $(MAKE) --no-print-directory release
	Tests/InitTests/run
	Tests/Conformance/run --runtime $(RUNTIME)

image:
	Tests/vm/image base

test-vm:
	Tests/vm/conformance $(RUNTIME)
	APUS_VM_AS=selinux Tests/vm/conformance $(RUNTIME)

test-engines:
	Tests/vm/image engines
	Tests/engines/run $(RUNTIME) $(FILTER)

# The quick ones, on this host's kernel: half a minute once the image is there.
test-core:
	APUS_ENGINES_HERE=1 Tests/engines/run $(RUNTIME) core

lint:
	Tests/lint/format
	Tests/lint/imports
	Tests/lint/conformance
	Tests/lint/length

docs:
	Tests/docs/build

bench:
	Tests/bench/run --runtime $(RUNTIME)

# Completions, manual pages and the tables of spec/cli.md, made from the tables of the parser.
share:
	APUS_WRITE_SHARE=1 $(SWIFT) test --filter ShareTests

install:
	@test -x $(BINARY) || $(MAKE) --no-print-directory release
	install -D -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/apus
	install -D -m 644 spec/completions/apus.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/apus
	install -D -m 644 spec/completions/_apus $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_apus
	install -D -m 644 spec/completions/apus.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/apus.fish
	install -d $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/apus/engines
	install -m 644 spec/man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 $(wildcard spec/engines/*.*) $(DESTDIR)$(PREFIX)/share/apus/engines

deb:
	@test -x $(BINARY) || $(MAKE) --no-print-directory release
	BINARY=$(BINARY) .ci/deb bin

clean:
	rm -rf .build .build-* bin
