// SPDX-License-Identifier: GPL-2.0
/* What doctor looks for: the kinds of findings, and from when on they are told of. */
#include "lib/base.h"
#include "lib/out.h"
#include "verbs/doctor/doctor.h"

static const struct {
	const char *id, *help;
} kinds[] = {
	{
		"close-wait",
		"Connections in CLOSE_WAIT for a minute or more, by who holds them: the peer has closed, the application has not.",
	},
	{
		"fin-unanswered",
		"FINs that nobody has acknowledged for 10 s: the peer is dead, or a firewall has forgotten the connection.",
	},
	{
		"syn-unanswered",
		"SYNs without an answer for 3 s, by service: it is down, a firewall drops them, or its accept queue is full.",
	},
	{
		"half-open",
		"8 handshakes or more of a forwarded service without their last ACK for 3 s, serious from 128 on; of a local one, as many as 80 % of its limit.",
	},
	{
		"no-socket",
		"Ends of this host that wait without a socket in that state: it was moved, or went without a segment.",
	},
	{
		"unreachable",
		"Connections of which ICMP errors say that the other end is not reached, with nothing acknowledged since.",
	},
	{
		"mtu",
		"Connections of which ICMP errors have said twice or more that a segment is too big, with nothing acknowledged since.",
	},
	{
		"ports",
		"Half or more of the ports that connect() chooses from are taken for one destination; serious from nine tenths on.",
	},
	{
		"resets",
		"Who has reset 10 connections or more within the last minute.",
	},
	{
		"refused",
		"A service that has refused 3 connections or more within the last minute, and most of them.",
	},
	{
		"rst-inexact",
		"RSTs whose numbers are not exact: answered by a challenge ACK, stale, or forged.",
	},
	{
		"accept-queue",
		"A listener's accept queue is at 80 % of its limit; serious when it is full.",
	},
	{
		"sockets",
		"Sockets could not be asked.",
	},
	{
		"conntrack",
		"nf_conntrack could not be asked.",
	},
	{
		"conntrack-forgets",
		"Half-closed connections that nf_conntrack forgets within two minutes.",
	},
	{
		"offloaded",
		"Connections handed to a flowtable, which the module does not see.",
	},
	{
		"table",
		"The table is at 80 % of its limit.",
	},
	{
		"evicted",
		"Flows gave way to others in a full table, or found no room.",
	},
	{
		"bucket-full",
		"Flows were refused: too many others were in their part of the table.",
	},
	{
		"memory",
		"Flows or parts of them found no memory.",
	},
	{
		"events-lost",
		"Events were not sent because there was no memory.",
	},
	{
		"disabled",
		"Tracking is switched off in the network namespace.",
	},
	{
		"not-loaded",
		"The module is not loaded.",
	},
	{
		"version",
		"Module and tool are of different versions.",
	},
	{
		"next-kernel",
		"A kernel is installed for which there is no module.",
	},
};

void doctor_explain(void)
{
	size_t i;

	out_object("explain");
	out_line();
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		out_str(NULL, -18, kinds[i].id);
		out_str(kinds[i].id, -1, kinds[i].help);
		out_line();
	}
	out_end();
}
