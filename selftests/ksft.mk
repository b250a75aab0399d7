# SPDX-License-Identifier: GPL-2.0
# The kernel's own lib.mk. In a kernel tree, where this directory is tools/testing/selftests/tcpfsm,
# it is one level up. Here it comes from the source that the User-mode Linux bed fetches;
# objects go to build/, and kselftest's own limit of 45 seconds a program is too short.

tcpfsm_dir := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
ifneq ($(wildcard $(tcpfsm_dir)/../lib.mk),)
KSFT := $(abspath $(tcpfsm_dir)/..)
else
KSFT ?= $(shell $(tcpfsm_dir)/../scripts/uml --source)/tools/testing/selftests
OUTPUT ?= $(abspath $(tcpfsm_dir)/../build)$(patsubst $(tcpfsm_dir)%,%,$(CURDIR))
$(shell mkdir -p $(OUTPUT))
export kselftest_override_timeout ?= 3600
endif
export KSFT

include $(KSFT)/lib.mk
