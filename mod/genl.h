/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family "tcpfsm"; include/uapi/linux/tcpfsm.h documents it. */
#ifndef _TCPFSM_GENL_H
#define _TCPFSM_GENL_H

int tcpfsm_genl_init(void);
void tcpfsm_genl_exit(void);

#endif /* _TCPFSM_GENL_H */
