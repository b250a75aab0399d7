/* SPDX-License-Identifier: GPL-2.0 */
/* TCPFSM_CMD_FLOW_GET, for genl.c. */
#ifndef _TCPFSM_GENL_FLOW_H
#define _TCPFSM_GENL_FLOW_H

struct genl_info;
struct netlink_callback;
struct sk_buff;

int tcpfsm_genl_flow_get(struct sk_buff *request, struct genl_info *info);
int tcpfsm_genl_flow_start(struct netlink_callback *cb);
int tcpfsm_genl_flow_dump(struct sk_buff *skb, struct netlink_callback *cb);
int tcpfsm_genl_flow_done(struct netlink_callback *cb);

#endif /* _TCPFSM_GENL_FLOW_H */
