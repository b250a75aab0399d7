// SPDX-License-Identifier: GPL-2.0
/* What is wrong with the module's table, and with the installation. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tcpfsm_version.h"
#include "verbs/doctor/doctor.h"

#define PERCENT_FULL	80

/* ---- the table ---- */

static void check_table(const struct patient *p)
{
	unsigned long long entries = p->stats.entries, limit = p->stats.limit;
	unsigned long long evicted = doctor_counter("ended_evicted");
	unsigned long long refused = doctor_counter("table_full");
	struct finding *f;

	if (limit && entries * 100 >= limit * PERCENT_FULL) {
		f = finding(RANK_WARNING, "table", entries,
			    "The table holds %llu of at most %llu flows; when it is full, half-open and closed ones give way.",
			    entries, limit);
		evidence(f, "max_flows can be changed at any time (/sys/module/tcpfsm/parameters/max_flows), hashsize when it is loaded");
		look_with(f, "tcpfsm services; tcpfsm pairs");
	}
	if (evicted || refused) {
		f = finding(RANK_NOTE, "evicted", evicted + refused,
			    "Since it was loaded, %llu flows gave way to others in a full table, and %llu found no room.",
			    evicted, refused);
		look_with(f, "tcpfsm counters --explain");
	}
	if (doctor_counter("bucket_full")) {
		f = finding(RANK_WARNING, "bucket-full", doctor_counter("bucket_full"),
			    "Since it was loaded, %llu flows were refused because too many others were in their part of the table.",
			    (unsigned long long)doctor_counter("bucket_full"));
		evidence(f, "the table has too few places for its flows (hashsize, when the module is loaded), or somebody chooses addresses and ports for that");
		look_with(f, "tcpfsm counters --explain; tcpfsm services");
	}
	if (doctor_counter("no_memory"))
		finding(RANK_NOTE, "memory", doctor_counter("no_memory"),
			"Since it was loaded, %llu flows or parts of them found no memory.",
			(unsigned long long)doctor_counter("no_memory"));
	if (doctor_counter("events_lost"))
		finding(RANK_NOTE, "events-lost", doctor_counter("events_lost"),
			"Since it was loaded, %llu events were not sent because there was no memory; their numbers are missing in every listener's sequence.",
			(unsigned long long)doctor_counter("events_lost"));
	if (!number_in("/proc/sys/net/tcpfsm/enabled", 1))
		look_with(finding(RANK_SERIOUS, "disabled", 0,
				  "Tracking is switched off in this network namespace."),
			  "sysctl net.tcpfsm.enabled=1");
}

/* ---- the installation ---- */

static bool read_word(const char *path, char *word, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (!f)
		return false;
	ok = fgets(word, size, f);
	fclose(f);
	if (ok)
		word[strcspn(word, "\n")] = '\0';
	return ok;
}

static bool has_file(const char *fmt, const char *release)
{
	char path[300];

	snprintf(path, sizeof(path), fmt, release);
	return access(path, F_OK) == 0;
}

static bool has_module(const char *release)
{
	return has_file("/lib/modules/%s/updates/dkms/tcpfsm.ko", release) ||
	       has_file("/lib/modules/%s/updates/dkms/tcpfsm.ko.xz", release) ||
	       has_file("/lib/modules/%s/updates/dkms/tcpfsm.ko.zst", release) ||
	       has_file("/lib/modules/%s/extra/tcpfsm.ko", release) ||
	       has_file("/lib/modules/%s/updates/tcpfsm.ko", release);
}

static bool has_headers(const char *release)
{
	return has_file("/lib/modules/%s/build/Makefile", release);
}

/* The firmware's variable is one byte, behind four bytes of attributes. */
static bool is_secure_boot(void)
{
	u8 data[5] = { 0 };
	FILE *f = fopen("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
			"re");

	if (!f)
		return false;
	if (fread(data, 1, sizeof(data), f) != sizeof(data))
		data[4] = 0;
	fclose(f);
	return data[4] == 1;
}

/* Kernels that may be booted next, and have no module. */
static void check_other_kernels(const char *running)
{
	DIR *dir = opendir("/lib/modules");
	struct dirent *d;
	struct finding *f;

	if (!dir)
		return;
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.' || !strcmp(d->d_name, running) ||
		    !has_file("/boot/vmlinuz-%s", d->d_name) || has_module(d->d_name))
			continue;
		f = finding(RANK_NOTE, "next-kernel", 0,
			    "The kernel %s is installed and has no tcpfsm module: after a reboot into it nothing is watched.",
			    d->d_name);
		if (!has_headers(d->d_name))
			evidence(f, "its headers are missing: linux-headers-%s", d->d_name);
		look_with(f, "dkms status; dkms autoinstall -k %s", d->d_name);
	}
	closedir(dir);
}

static void check_installation(void)
{
	char version[64];
	struct utsname uts;

	uname(&uts);
	if (read_word("/sys/module/tcpfsm/version", version, sizeof(version)) &&
	    strcmp(version, TCPFSM_VERSION))
		look_with(finding(RANK_WARNING, "version", 0,
				  "The module that is loaded is version %s, this tool %s: what is new in one the other does not know.",
				  version, TCPFSM_VERSION),
			  "modinfo tcpfsm; rmmod tcpfsm && modprobe tcpfsm");
	if (has_module(uts.release))	/* it is installed, not just tried out */
		check_other_kernels(uts.release);
}

int doctor_no_module(void)
{
	struct finding *f;
	struct utsname uts;

	uname(&uts);
	f = finding(RANK_SERIOUS, "not-loaded", 0,
		    "The kernel module tcpfsm is not loaded: there is nothing to look at.");
	if (!has_module(uts.release))
		evidence(f, "the running kernel %s has none: build it, or install tcpfsm-dkms",
			 uts.release);
	if (!has_headers(uts.release))
		evidence(f, "its headers are missing: linux-headers-%s", uts.release);
	if (is_secure_boot())
		evidence(f, "Secure Boot is on: the module must be signed with a key that is enrolled (mokutil --test-key /var/lib/dkms/mok.pub)");
	look_with(f, has_module(uts.release) ? "modprobe tcpfsm; dmesg | tail" : "dkms status");
	return EXIT_ERROR;
}

void doctor_host(const struct patient *p)
{
	check_table(p);
	if (p->first)
		check_installation();
}
