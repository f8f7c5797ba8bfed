# SPDX-License-Identifier: GPL-2.0-only
#
# foldfs: the module, the tools, and everything that tests them.
# `make help` lists what can be made.

# Kernel series that foldfs is tested on.  kernel/compat, the packages for DKMS and
# for akmods have the same limits.
SERIES := 6.12

KDIR ?= /lib/modules/$(shell uname -r)/build
# Which tests (a glob or a part of the name), and on which kernel.
T ?=
KERNEL ?= stock
# The seeds of `make difftest`, and how many calls with each.
SEEDS ?= 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20
CALLS ?= 100000
# `make torture`: minutes for each seed, and checked operations after which it
# ends (0: time alone decides). `make tenants`: minutes for all of it.
MINUTES ?= 5
CHECKED ?= 0
# `make crashes`: how often, and from which seed on (`make tenants`: likewise).
N ?= 100
SEED ?= 1

version = $(shell sed -n 's/^VERSION[[:space:]]*?= *//p' tools/Makefile)
release = $(shell cat $(KDIR)/include/config/kernel.release 2>/dev/null)
supported = $(filter $(addsuffix .%,$(SERIES)) $(addsuffix -%,$(SERIES)),$(release))

.PHONY: all help module tools check difftest torture tenants mutations crashes demo bench lint deb check-packages check-system clean distclean

all: tools module

help:
	@echo 'make                    the tools, kernel/foldfs.ko and (experimental)'
	@echo '                        kernel/dm-fold.ko for the running kernel'
	@echo 'make KDIR=<headers>     the same for another kernel'
	@echo 'make demo               what foldfs saves, beside XFS and overlayfs, in a VM'
	@echo 'make check              all tests, on a stock $(firstword $(SERIES)) kernel in a VM'
	@echo 'make check T=<pattern>  the tests whose name matches (a glob or a part of it)'
	@echo 'make check KERNEL=7.3   the tests on the newest kernel of another series, which is'
	@echo '                        downloaded, with what it is built with'
	@echo 'make check KERNEL=debug the tests on a kernel with KASAN, lockdep, kmemleak'
	@echo '                        (which is built first: a quarter of an hour, once)'
	@echo 'make check KERNEL=kcsan the same with KCSAN, which finds data races'
	@echo 'make difftest           2 million random calls on foldfs and XFS, compared one by'
	@echo '                        one (half an hour); SEEDS="1 2 3" CALLS=100000 say which'
	@echo 'make torture            the oracle for an hour and more: SEEDS="1 2 3" MINUTES=5'
	@echo '                        CHECKED=10000000 KERNEL=debug or kcsan'
	@echo 'make tenants            tenants who mean harm, an oracle and a bystander, in turns on'
	@echo '                        XFS and on foldfs: MINUTES=60 SEED=1 KERNEL=debug'
	@echo 'make mutations          plant bugs in copies of the tree: do the tests find them?'
	@echo '                        (some minutes each; T=<part of a name> for some,'
	@echo '                        KERNEL=kcsan for those that only that one can see)'
	@echo 'make crashes            kill the VM under load, N=100 times, and look what is left'
	@echo 'make check-system       a Debian system lives on foldfs and on XFS, and is the same'
	@echo '                        afterwards: apt, gcc, git, sqlite (ten minutes when emulated)'
	@echo 'make deb                Debian packages: the module for DKMS, and the tools'
	@echo 'make check-packages     install, use, upgrade and purge them on Debian 12 and 13'
	@echo '                        systems in VMs (needs the network and 5 GB once; under emulation'
	@echo '                        up to 40 minutes for each; T=trixie, bookworm, rpm, secureboot)'
	@echo 'make lint               checkpatch, sparse, W=1, shellcheck, mandoc, layering, sizes'
	@echo 'make bench              measurements beside XFS, hard links and overlayfs: tables,'
	@echo '                        JSON and charts in build/bench'
	@echo 'make clean              remove what was built; distclean: downloads as well'
	@echo
	@echo 'check, demo, deb and bench install what they need from the distribution and say so.'

module:
	@scripts/deps.sh build
	@if [ ! -e $(KDIR)/Makefile ]; then \
		echo "make: no headers for kernel $$(uname -r) at $(KDIR): install them, or name others with KDIR=<headers>; 'make check' and 'make demo' bring their own kernel" >&2; \
		exit 1; \
	elif [ -z "$(supported)" ]; then \
		echo "make: kernel $(release) is not one that foldfs is tested on ($(SERIES)): name headers of such a kernel with KDIR=<headers>; 'make check' and 'make demo' bring their own kernel" >&2; \
		exit 1; \
	fi
	$(MAKE) -C $(KDIR) M=$(CURDIR)/kernel FOLDFS_VERSION=$(version) modules

tools:
	@scripts/deps.sh build
	$(MAKE) -C tools

check:
	@scripts/deps.sh vm deb
	@tests/vm/run --kernel '$(KERNEL)' '$(T)'

difftest:
	@scripts/deps.sh vm
	@{ echo 'SEEDS="$(SEEDS)" CALLS="$(CALLS)"'; cat tests/vm/long/difftest.sh; } | \
		tests/vm/run --kernel '$(KERNEL)' --module test --timeout 14400 --exec -

torture:
	@scripts/deps.sh vm
	@tests/torture/run '$(KERNEL)' '$(SEEDS)' '$(MINUTES)' '$(CHECKED)'

tenants:
	@scripts/deps.sh vm
	@tests/torture/tenants '$(KERNEL)' '$(MINUTES)' '$(SEED)'

mutations:
	@scripts/deps.sh vm
	@KERNEL='$(KERNEL)' tests/torture/mutations/run '$(T)'

crashes:
	@scripts/deps.sh vm
	@tests/torture/crashes '$(KERNEL)' '$(N)' '$(SEED)'

demo:
	@scripts/deps.sh demo
	@demo/run

bench:
	@scripts/deps.sh bench
	@bench/run

deb:
	@scripts/deps.sh deb
	@packaging/deb

check-packages:
	@scripts/deps.sh packages
	@tests/packages/run '$(T)'

check-system:
	@scripts/deps.sh system
	@image=$$(tests/system/image) && \
		tests/vm/run --kernel '$(KERNEL)' --mem 2G --disk 12G --python3 --drive $$image \
			--put tests/system/live=live --put tests/system/listing=listing \
			--timeout 7200 --exec - <tests/vm/long/system.sh

lint:
	@scripts/deps.sh lint
	@scripts/lint

clean:
	$(if $(wildcard $(KDIR)/Makefile),-$(MAKE) -C $(KDIR) M=$(CURDIR)/kernel clean)
	$(MAKE) -C tools clean
	$(if $(wildcard tests/unit/Makefile),$(MAKE) -C tests/unit clean)
	rm -rf build/logs build/module build/progs build/vm

distclean: clean
	rm -rf build
