/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VERBS_EXPORT_EXPORT_H
#define VERBS_EXPORT_EXPORT_H

/* The page that export serves, and where it ends. */
extern const char page[], page_end[];

#endif
