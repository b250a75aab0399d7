// SPDX-License-Identifier: GPL-2.0
/* Messages of the family. */
#include <linux/netdevice.h>

#include "genl_msg.h"

static const struct genl_family *opened __read_mostly;

void tcpfsm_msg_open(const struct genl_family *family)
{
	WRITE_ONCE(opened, family);
}

void tcpfsm_msg_close(void)
{
	WRITE_ONCE(opened, NULL);
	synchronize_net();	/* events are sent with bottom halves off */
}

void *tcpfsm_msg_dump(struct sk_buff *skb, const struct netlink_callback *cb, int flags, u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, opened,
			   NLM_F_MULTI | flags, cmd);
}

void *tcpfsm_msg_reply(struct sk_buff *skb, struct genl_info *info, u8 cmd)
{
	return genlmsg_put_reply(skb, info, opened, 0, cmd);
}

void *tcpfsm_msg_event(struct sk_buff *skb, u8 cmd)
{
	const struct genl_family *family = READ_ONCE(opened);

	return family ? genlmsg_put(skb, 0, 0, family, 0, cmd) : NULL;
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
	const struct genl_family *family = READ_ONCE(opened);

	return family && genl_has_listeners(family, net, group);
}

void tcpfsm_msg_multicast(struct net *net, struct sk_buff *skb, unsigned int group)
{
	const struct genl_family *family = READ_ONCE(opened);

	if (family)
		genlmsg_multicast_netns(family, net, skb, 0, group, GFP_ATOMIC);
	else
		nlmsg_free(skb);
}
