/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading attributes; what is missing or too short reads as zero. A flow has thirty, and there
 * are millions of flows: a call for each, as in libmnl, would show. Private to the room.
 */
#ifndef KERNEL_ATTR_H
#define KERNEL_ATTR_H

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <string.h>

#include "lib/base.h"

static inline size_t attr_len(const struct nlattr *a)
{
	return a->nla_len - sizeof(*a);
}

static inline const void *attr_data(const struct nlattr *a)
{
	return a + 1;
}

static inline u64 attr_u64(const struct nlattr *a)
{
	u64 v = 0;

	if (a && attr_len(a) >= sizeof(v))
		memcpy(&v, attr_data(a), sizeof(v));
	return v;
}

static inline u32 attr_u32(const struct nlattr *a)
{
	u32 v = 0;

	if (a && attr_len(a) >= sizeof(v))
		memcpy(&v, attr_data(a), sizeof(v));
	return v;
}

/* Up to @size bytes of a payload; the rest of @to is zeroed. */
static inline void attr_copy(void *to, size_t size, const struct nlattr *a)
{
	size_t len = a ? attr_len(a) : 0;

	if (len > size)
		len = size;
	memset((char *)to + len, 0, size - len);
	if (len)
		memcpy(to, attr_data(a), len);
}

/* Return: NULL unless it is terminated */
static inline const char *attr_str(const struct nlattr *a)
{
	size_t len = a ? attr_len(a) : 0;
	const char *s = len ? attr_data(a) : NULL;

	return s && !s[len - 1] ? s : NULL;
}

/* Sorts attributes by type; the last of a type wins. It stops at one that does not fit. */
static inline void attr_sort(const struct nlattr **tb, unsigned int max, const void *at,
			     size_t left)
{
	memset(tb, 0, (max + 1) * sizeof(*tb));
	while (left >= sizeof(struct nlattr)) {
		const struct nlattr *a = at;
		unsigned int type = a->nla_type & NLA_TYPE_MASK;
		size_t whole = NLA_ALIGN(a->nla_len);

		if (a->nla_len < sizeof(*a) || a->nla_len > left)
			return;
		if (type <= max)
			tb[type] = a;
		if (whole >= left)
			return;
		at = (const char *)at + whole;
		left -= whole;
	}
}

static inline void attr_nest(const struct nlattr **tb, unsigned int max, const struct nlattr *nest)
{
	attr_sort(tb, max, nest ? attr_data(nest) : NULL, nest ? attr_len(nest) : 0);
}

static inline void attr_message(const struct nlattr **tb, unsigned int max,
				const struct nlmsghdr *nlh, size_t header)
{
	size_t skip = MNL_NLMSG_HDRLEN + MNL_ALIGN(header);

	attr_sort(tb, max, (const char *)nlh + skip,
		  nlh->nlmsg_len > skip ? nlh->nlmsg_len - skip : 0);
}

#endif
