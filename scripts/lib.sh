# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Shared by the scripts of this directory; source it, do not run it.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${TCPFSM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tcpfsm}

say() { echo "$(basename "$0"): $*" >&2; }
die() { say "$*"; exit 125; }

# What the tool is built with, for need.
tool_packages=(build-essential pkg-config libmnl-dev libpcap-dev libjansson-dev
	libnetfilter-conntrack-dev libncurses-dev libmicrohttpd-dev libcurl4-gnutls-dev libfixbuf-dev
	libzstd-dev zlib1g-dev)

# need PACKAGE...: have these Debian packages installed, or say how.
need() {
	local missing=() p

	for p in "$@"; do
		dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null |
			grep -q '^install ok installed$' || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" != 0 ]; then
		die "packages are missing; run: sudo apt-get install --no-install-recommends ${missing[*]}"
	fi
	say "installing ${missing[*]}"
	mkdir -p "$cache"
	(
		# One installer at a time; dpkg's own lock would make the second fail.
		flock 9
		export DEBIAN_FRONTEND=noninteractive
		install_packages "${missing[@]}" ||
			{ apt-get -qq update && install_packages "${missing[@]}"; }
	) 9>"$cache/apt.lock" || die "apt-get install ${missing[*]} failed, see $cache/apt.log"
}

# Services that a package would start have no business on the build host.
install_packages() {
	local policy=/usr/sbin/policy-rc.d ours=

	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod +x $policy
		ours=1
	fi
	apt-get -y -qq install --no-install-recommends "$@" </dev/null >>"$cache/apt.log" 2>&1
	local rc=$?
	[ -z "$ours" ] || rm -f $policy
	return $rc
}

# The mirror that this machine installs Debian from.
mirror() {
	apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' |
		awk '$2 == "Debian" { print $1; exit }'
}

# This machine's Debian, all of it, as lines of a sources.list.
sources() {
	apt-get indextargets --format '$(LABEL) [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' | sed -n 's/^Debian[^ ]* /deb /p' | sort -u
}

# apt_suite "SUITE..." COMMAND...: an apt tool on other suites than the machine's,
# with lists and cache of its own.
apt_suite() {
	local dir=$cache/apt suites=$1 s uri
	shift

	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	uri=$(mirror)
	[ -n "$uri" ] || { apt-get -qq update && uri=$(mirror); }
	[ -n "$uri" ] || die "no Debian mirror in this machine's apt sources"
	for s in $suites; do
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $s main"
	done >"$dir/sources.list"
	# The directories are ours: apt's own user could not write there, and apt warns of that.
	"$1" -o APT::Sandbox::User="$(id -un)" -o Dir::Etc::SourceList="$dir/sources.list" \
	     -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$dir/lists" \
	     -o Dir::Cache="$dir/cache" "${@:2}"
}

# end_late PID SECONDS: wait for a guest, a child. One that has not come to its end by then is ended.
# Return: 124 then, or the guest's exit status
end_late() {
	timeout "$2" tail -q -s 0.05 -f --pid="$1" /dev/null >/dev/null 2>&1 &
	wait $!
	if [ $? = 124 ]; then
		kill -9 "$1"
		wait "$1" 2>/dev/null
		return 124
	fi
	wait "$1" 2>/dev/null
}

# guest_request DIR COMMAND...: what scripts/guest shall run, as a file in DIR.
guest_request() {
	local dir=$1 v
	shift

	{
		printf 'cd %q\n' "$PWD"
		for v in CI TERM ${TCPFSM_PASS-}; do
			[ -z "${!v-}" ] || printf 'export %s=%q\n' "$v" "${!v}"
		done
		printf '%q ' "$@"
		echo
	} >"$dir/command"
}
