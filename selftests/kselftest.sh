#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# These tests as a part of the kernel's own: a tree that is the kernel's source, with this
# directory as tools/testing/selftests/tcpfsm. TAP.
#
#   kselftest.sh SOURCE WORK            the programs build, run (where there is no module they say
#                                       so and are skipped) and are installed, in WORK
#   kselftest.sh --guest WORK           those installed in WORK run, where TCPFSM_KO is loaded

set -u
here=$(cd "$(dirname "$0")" && pwd)
programs="net:states.py net:rules.py net:cases.py net:exports.py net:commands.py net:namespaces.py
	net:ynl.py net:abi.py net:watch.py net:module.py net:lifecycle.py net:hostile.py net:attacks.py
	net:floods.py net:storm.py net:expiry.py net:diagnose.py truth:truth.py"
n=0 failed=0

# result WORKED NAME
result() {
	n=$((n + 1))
	[ "$1" = 0 ] || { failed=1; echo -n "not "; }
	echo "ok $n $2"
}

# Every file of the source by a link, but for the directories on the way to ours.
make_tree() {
	local dir=

	rm -rf "$tree"
	while read -r part; do
		mkdir -p "$tree$dir"
		find "$source$dir" -mindepth 1 -maxdepth 1 ! -name "$part" \
			-exec ln -s -t "$tree$dir" {} +
		dir=$dir/$part
	done <<<$'tools\ntesting\nselftests\ntcpfsm'
	cp -r "$here" "$tree$dir"
}

in_tree() {
	make -C "$tree/tools/testing/selftests" TARGETS=tcpfsm FORCE_TARGETS=1 "$@" </dev/null
}

tell() { sed 's/^/# /' "$1"; }

check_tree() {
	local p

	make_tree
	TCPFSM_KO=/nonexistent in_tree run_tests >"$log" 2>&1
	result $? "make run_tests"
	for p in $programs; do
		grep -qE "^ok [0-9]+ selftests: tcpfsm/${p/:/: } # SKIP\$" "$log"
		result $? "$p says that there is no module"
	done
	[ -x "$tree/tools/testing/selftests/tcpfsm/net/flood" ]
	result $? "what it needs is built"
	[ $failed = 0 ] || tell "$log"
	rm -rf "$work/installed"
	in_tree install INSTALL_PATH="$work/installed" >"$log" 2>&1
	result $? "make install"
	for p in $programs; do
		grep -qxF "tcpfsm/$p" "$work/installed/kselftest-list.txt" &&
			[ -x "$work/installed/tcpfsm/${p/:/\/}" ]
		result $? "$p is installed and listed"
	done
	for p in net/bed/ksft.py net/scenarios/forged.py net/flood net/talk net/settings net/config \
		 truth/compare.py core/scenarios/figures/figure_6_handshake.tfsm; do
		[ -e "$work/installed/tcpfsm/$p" ]
		result $? "$p is installed"
	done
	[ $failed = 0 ] || tell "$log"
}

run_installed() {
	"$work/installed/run_kselftest.sh" -t tcpfsm/net:states.py >"$log" 2>&1
	grep -q '^ok 1 selftests: tcpfsm/net: states.py$' "$log"
	result $? "net:states.py passes where there is a module"
	[ $failed = 0 ] || tell "$log"
}

echo "TAP version 13"
if [ "${1-}" = --guest ] && [ $# = 2 ]; then
	work=$2 log=$(mktemp)
	echo 1..1
	run_installed
	rm -f "$log"
elif [ $# = 2 ]; then
	source=$1 work=$2 tree=$2/linux log=$2/log
	mkdir -p "$work"
	set -- $programs
	echo "1..$((2 * $# + 3 + 8))"
	check_tree
else
	echo "usage: kselftest.sh SOURCE WORK | --guest WORK" >&2
	exit 2
fi
exit $failed
