// SPDX-License-Identifier: GPL-2.0
/* Messages of the family. */
#include <linux/netdevice.h>

#include "genl_msg.h"

static const struct genl_family *family __ro_after_init;
static bool events_open __read_mostly;

void __init tcpfsm_msg_init(const struct genl_family *ours)
{
	family = ours;
}

void tcpfsm_msg_open_events(void)
{
	WRITE_ONCE(events_open, true);
}

void tcpfsm_msg_close_events(void)
{
	WRITE_ONCE(events_open, false);
	synchronize_net();	/* events are sent with bottom halves off */
}

void *tcpfsm_msg_dump(struct sk_buff *skb, const struct netlink_callback *cb, int flags, u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, family,
			   NLM_F_MULTI | flags, cmd);
}

void *tcpfsm_msg_reply(struct sk_buff *skb, struct genl_info *info, u8 cmd)
{
	return genlmsg_put_reply(skb, info, family, 0, cmd);
}

void *tcpfsm_msg_event(struct sk_buff *skb, u8 cmd)
{
	return genlmsg_put(skb, 0, 0, family, 0, cmd);
}

int tcpfsm_msg_end(struct sk_buff *skb, void *header, int err)
{
	if (err)
		genlmsg_cancel(skb, header);
	else
		genlmsg_end(skb, header);
	return err;
}

bool tcpfsm_msg_has_listeners(struct net *net, unsigned int group)
{
	return READ_ONCE(events_open) && genl_has_listeners(family, net, group);
}

int tcpfsm_msg_multicast(struct net *net, struct sk_buff *skb, unsigned int group)
{
	if (READ_ONCE(events_open))
		return genlmsg_multicast_netns(family, net, skb, 0, group, GFP_ATOMIC);
	nlmsg_free(skb);
	return -ESRCH;
}
