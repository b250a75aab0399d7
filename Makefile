# SPDX-License-Identifier: GPL-2.0
# make            the module for the running kernel, and the tool
# make modules    the module: KDIR=build tree of the kernel, ARCH=um for User-mode Linux
# make tools      the tool, tools/tcpfsm
# make demo       the main job on real traffic, in a throw-away virtual machine
# make check      what CI runs, about 35 minutes; TAP, and a closing line 'N passed, N failed,
#                 N skipped'; one suite, or one test: scripts/check --help
# make check-kernels  states, hard cases, exports and the module's own behaviour under every
#                 supported kernel, an hour
# make check-integrations  the tool with a real Prometheus, ClickHouse, nfcapd and browser, and the
#                 packages as people install them
# make fuzz       libFuzzer over the engine and what reads foreign bytes, T minutes each
# make quick      engine and tool, without a guest, in about a minute
# make lint       checkpatch, sparse, Coccinelle, clang-tidy, and a build with clang
# make lint-diff  the same, in seconds, of what differs from the commit C (default: the upstream's)
# make compile_commands.json  for clangd
# make figures    the figure, the tables of mod/README.md and parts of the manual, from the code
# make truth      the whole comparison with the kernel's own sockets; make check-deep: the deep
#                 search, and data races under KCSAN, an hour
# make bench      speed and memory beside nf_conntrack, 15 minutes; parts: scripts/bench --help
# make sharing    what segments cost on up to 64 processors, counted by an emulator, 15 minutes
# make install    module (modules_install), tool and man page: PREFIX, DESTDIR, INSTALL_MOD_PATH;
#                 make uninstall, with the same, removes them

KDIR ?= /lib/modules/$(shell uname -r)/build
PREFIX ?= /usr/local

all: modules tools

modules:
	@test -e $(KDIR)/Makefile || { \
		echo "make: no kernel build tree at KDIR='$(KDIR)'; install linux-headers-$$(uname -r), or name one with KDIR=" >&2; \
		exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tools:
	$(MAKE) -C tools PREFIX=$(PREFIX)

modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install

install: modules_install
	$(MAKE) -C tools install PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)

# The kernel's make has no such target. It installs into updates, before 5.17 into extra.
uninstall:
	release=$$($(MAKE) -s -C $(KDIR) kernelrelease) && \
		rm -f $(INSTALL_MOD_PATH)/lib/modules/$$release/updates/tcpfsm.ko* \
			$(INSTALL_MOD_PATH)/lib/modules/$$release/extra/tcpfsm.ko* && \
		depmod -b $(or $(INSTALL_MOD_PATH),/) $$release
	$(MAKE) -C tools uninstall PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)

demo:
	scripts/demo

check:
	scripts/check

quick:
	scripts/check quick

truth:
	scripts/check matrix

bench:
	scripts/bench

sharing:
	scripts/sharing

check-deep:
	$(MAKE) -C selftests/model deep
	scripts/check kcsan

check-kernels:
	scripts/check kernels

check-integrations:
	scripts/check integrations packages

fuzz:
	scripts/fuzz --minutes $(or $(T),1)

lint:
	scripts/lint

lint-diff:
	scripts/lint --diff $(C)

compile_commands.json:
	scripts/compile-commands

figures:
	scripts/figures

clean:
	$(MAKE) -C tools clean
	rm -rf build compile_commands.json Module.symvers modules.order tcpfsm.ko tcpfsm.mod tcpfsm.mod.c *.o .*.cmd \
		mod/*.o mod/.*.cmd mod/probed.h mod/core/*.o mod/core/.*.cmd

.PHONY: all modules tools modules_install install uninstall demo check truth bench sharing check-deep check-kernels check-integrations fuzz \
	quick lint lint-diff compile_commands.json figures clean
