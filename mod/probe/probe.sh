#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# probe.sh COMPILER FLAG...: which of the ways in mod/compat.h compile with a kernel's headers?
#
# Prints defines for compat.h. Each row at the end names a probe, which is a file of this directory, and
# its ways, newest first, as names to define ('-' is none); the first way that compiles is taken. If
# none does, compat.h does not know this kernel: the build ends, with what the compiler says.

dir=$(dirname "$0")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT HUP INT TERM

compile() {
	probe=$1 way=$2
	shift 2
	for name in $way; do
		[ "$name" = - ] || set -- "$@" "-DTCPFSM_HAVE_$name"
	done
	"$@" -DTCPFSM_PROBE -Wno-error -Werror=implicit-function-declaration -Werror=int-conversion \
		-Werror=incompatible-pointer-types -Wno-missing-prototypes -fsyntax-only "$dir/$probe.c"
}

while read -r probe ways; do
	found=
	: >"$work/errors"
	echo "$ways" | tr , '\n' >"$work/ways"
	while read -r way; do
		if compile "$probe" "$way" "$@" 2>>"$work/errors"; then
			found=1
			for name in $way; do
				[ "$name" = - ] || echo "#define TCPFSM_HAVE_$name"
			done
			break
		fi
	done <"$work/ways"
	if [ -z "$found" ]; then
		cat "$work/errors" >&2
		echo "tcpfsm: mod/compat.h has no way that compiles for '$probe' with this kernel" >&2
		exit 1
	fi
done <<'END'
lookup		-, LOOKUP_HASHINFO NET_HASHINFO, LOOKUP_HASHINFO
sysctl		CONST_CTL_TABLE, -
sysctl_size	SYSCTL_SZ, -
timer		TIMER_SHUTDOWN TIMER_CONTAINER, TIMER_SHUTDOWN, -
frags		FRAGS_READABLE, -
genl_dump	GENL_INFO_DUMP, -
END
