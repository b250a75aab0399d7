/* SPDX-License-Identifier: GPL-2.0 */
/* Messages of the generic netlink family. */
#ifndef _TCPFSM_GENL_MSG_H
#define _TCPFSM_GENL_MSG_H

#include <net/genetlink.h>

/* Where a dump goes on lives in netlink_callback.ctx, as a type of the dump's own. */
#define TCPFSM_CURSOR(type, cb) ({					\
	BUILD_BUG_ON(sizeof(type) > sizeof((cb)->ctx));			\
	(type *)(cb)->ctx; })

/* Whose messages these are. Before the family is registered: requests may come at once then. */
void tcpfsm_msg_init(const struct genl_family *ours);

/*
 * Events may be sent from when the family is registered until it is about to go. Closing returns
 * when no event is on its way any more.
 */
void tcpfsm_msg_open_events(void);
void tcpfsm_msg_close_events(void);

/*
 * Begin a message of a dump, of a reply, of an event; genlmsg_end() or genlmsg_cancel() it.
 * Return: its header, or NULL if there is no room.
 */
void *tcpfsm_msg_dump(struct sk_buff *skb, const struct netlink_callback *cb, int flags, u8 cmd);
void *tcpfsm_msg_reply(struct sk_buff *skb, struct genl_info *info, u8 cmd);
void *tcpfsm_msg_event(struct sk_buff *skb, u8 cmd);

/* End a message, or cancel it if there was an error, which is returned. */
int tcpfsm_msg_end(struct sk_buff *skb, void *header, int err);

/* Does anybody listen to this group in the namespace? */
bool tcpfsm_msg_has_listeners(struct net *net, unsigned int group);

/*
 * Send an event to the group; nobody may listen any more, and a listener whose socket is full
 * misses it. Context: bottom halves off. The message is consumed.
 */
int tcpfsm_msg_multicast(struct net *net, struct sk_buff *skb, unsigned int group);

#endif /* _TCPFSM_GENL_MSG_H */
