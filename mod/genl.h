/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPFSM_GENL_H
#define _TCPFSM_GENL_H

struct genl_family;

extern struct genl_family tcpfsm_genl_family;	/* for event.c */

extern bool tcpfsm_genl_open;	/* the groups may be used; bottom halves off while one does */

int tcpfsm_genl_init(void);
void tcpfsm_genl_exit(void);

#endif /* _TCPFSM_GENL_H */
