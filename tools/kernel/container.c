// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "kernel/container.h"

#define ID_DIGITS	64

static bool is_id(const char *s, size_t len)
{
	size_t i;

	if (len != ID_DIGITS)
		return false;
	for (i = 0; i < len; i++)
		if (!isxdigit((unsigned char)s[i]))
			return false;
	return true;
}

static void take_part(char *to, const char *s, size_t len)
{
	snprintf(to, CONTAINER_ID, "%.*s", (int)len, s);
}

static void set_container(struct container *c, const char *runtime, const char *id, size_t len)
{
	snprintf(c->runtime, sizeof(c->runtime), "%s", runtime);
	take_part(c->id, id, len);
}

/* Without the ending, if it has it. Return: whether it has */
static bool cut_ending(const char *s, size_t *len, const char *ending)
{
	size_t n = strlen(ending);

	if (*len <= n || strncmp(s + *len - n, ending, n))
		return false;
	*len -= n;
	return true;
}

/* What stands behind a beginning; or NULL. */
static const char *skip_prefix(const char *s, size_t *len, const char *beginning)
{
	size_t n = strlen(beginning);

	if (*len <= n || strncmp(s, beginning, n))
		return NULL;
	*len -= n;
	return s + n;
}

/* systemd's units: docker-ID.scope */
static bool take_scope(struct container *c, const char *s, size_t len)
{
	static const struct { const char *prefix, *runtime; } scopes[] = {
		{ "docker-", "docker" }, { "libpod-", "podman" },
		{ "cri-containerd-", "containerd" }, { "nerdctl-", "containerd" },
		{ "crio-", "crio" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(scopes); i++) {
		size_t left = len;
		const char *id = skip_prefix(s, &left, scopes[i].prefix);

		if (!id)
			continue;
		cut_ending(id, &left, ".scope");
		if (!is_id(id, left))
			continue;
		set_container(c, scopes[i].runtime, id, left);
		return true;
	}
	return false;
}

/* What has names for its containers. */
static bool take_named(struct container *c, const char *s, size_t len)
{
	static const struct { const char *prefix, *ending, *runtime; } named[] = {
		{ "lxc.payload.", "", "lxc" },
		{ "systemd-nspawn@", ".service", "machine" },
		{ "machine-", ".scope", "machine" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(named); i++) {
		size_t left = len;
		const char *name = skip_prefix(s, &left, named[i].prefix);

		if (!name || (*named[i].ending && !cut_ending(name, &left, named[i].ending)))
			continue;
		set_container(c, named[i].runtime, name, left);
		return true;
	}
	return false;
}

/* kubepods-burstable-podUID.slice, with underscores for dashes, or podUID */
static bool take_pod(struct container *c, const char *s, size_t len)
{
	const char *uid = s;
	char *p;

	if (!cut_ending(s, &len, ".slice")) {
		uid = skip_prefix(s, &len, "pod");
	} else if (!strncmp(s, "kubepods-", 9)) {
		const char *dash;

		for (dash = s + len; dash > s && *dash != '-'; dash--)
			;
		len -= dash + 1 - s;
		uid = skip_prefix(dash + 1, &len, "pod");
	} else {
		return false;
	}
	if (!uid || len < 8 || len >= CONTAINER_ID ||
	    strspn(uid, "0123456789abcdefABCDEF-_") < len)
		return false;
	take_part(c->pod, uid, len);
	for (p = c->pod; *p; p++)
		if (*p == '_')
			*p = '-';
	return true;
}

/* cgroupfs: the runtime, or the pod, is the directory above. */
static void take_bare(struct container *c, const char *s, size_t len, const char *above,
		      size_t above_len)
{
	static const char * const runtimes[] = { "docker", "lxc" };
	const char *runtime = c->pod[0] ? "" : NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(runtimes); i++)
		if (above_len == strlen(runtimes[i]) && !strncmp(above, runtimes[i], above_len))
			runtime = runtimes[i];
	if (is_id(s, len) || (runtime && !strcmp(runtime, "lxc")))
		set_container(c, runtime ? runtime : "", s, len);
}

bool container_of_cgroup(struct container *c, const char *path)
{
	const char *s, *end, *above = "";
	size_t len, above_len = 0;

	memset(c, 0, sizeof(*c));
	/* The outermost container: what is within it is its own affair. */
	for (s = path; *s && !c->id[0]; s = *end ? end + 1 : end) {
		end = s + strcspn(s, "/");
		len = end - s;
		if (!len)
			continue;
		if (!take_pod(c, s, len) && !take_scope(c, s, len) && !take_named(c, s, len))
			take_bare(c, s, len, above, above_len);
		above = s;
		above_len = len;
	}
	return c->id[0] || c->pod[0];
}

bool container_of_process(struct container *c, int pid)
{
	char path[64], line[4096], *cgroup;
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	/* HIERARCHY:CONTROLLERS:PATH; version 1 has a line for each hierarchy. */
	while (!found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		cgroup = strchr(line, ':');
		cgroup = cgroup ? strchr(cgroup + 1, ':') : NULL;
		found = cgroup && container_of_cgroup(c, cgroup + 1);
	}
	fclose(f);
	return found;
}
