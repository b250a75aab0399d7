/* SPDX-License-Identifier: GPL-2.0 */
/* Reading attributes; what is missing or too short reads as zero. */
#ifndef ATTR_H
#define ATTR_H

#include <libmnl/libmnl.h>
#include <string.h>

#include "fmt.h"

static inline u64 attr_u64(const struct nlattr *a)
{
	u64 v = 0;

	if (a && mnl_attr_get_payload_len(a) >= sizeof(v))
		memcpy(&v, mnl_attr_get_payload(a), sizeof(v));
	return v;
}

static inline u32 attr_u32(const struct nlattr *a)
{
	u32 v = 0;

	if (a && mnl_attr_get_payload_len(a) >= sizeof(v))
		memcpy(&v, mnl_attr_get_payload(a), sizeof(v));
	return v;
}

/* Up to @size bytes of a payload; the rest of @to is zeroed. */
static inline void attr_copy(void *to, size_t size, const struct nlattr *a)
{
	size_t len = a ? mnl_attr_get_payload_len(a) : 0;

	if (len > size)
		len = size;
	memset((char *)to + len, 0, size - len);
	if (len)
		memcpy(to, mnl_attr_get_payload(a), len);
}

/* NULL unless terminated */
static inline const char *attr_str(const struct nlattr *a)
{
	size_t len = a ? mnl_attr_get_payload_len(a) : 0;
	const char *s = len ? mnl_attr_get_payload(a) : NULL;

	return s && !s[len - 1] ? s : NULL;
}

/* Sort attributes by type, the last of a kind wins. */
static inline void attr_index(const struct nlattr **tb, unsigned int max, const struct nlattr *a)
{
	unsigned int type = mnl_attr_get_type(a);

	if (type <= max)
		tb[type] = a;
}

static inline void attr_nest(const struct nlattr **tb, unsigned int max, const struct nlattr *nest)
{
	const struct nlattr *a;

	memset(tb, 0, (max + 1) * sizeof(*tb));
	if (!nest)
		return;
	mnl_attr_for_each_nested(a, nest)
		attr_index(tb, max, a);
}

static inline void attr_message(const struct nlattr **tb, unsigned int max,
				const struct nlmsghdr *nlh, size_t header)
{
	const struct nlattr *a;

	memset(tb, 0, (max + 1) * sizeof(*tb));
	mnl_attr_for_each(a, nlh, header)
		attr_index(tb, max, a);
}

#endif
