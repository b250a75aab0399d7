-- SPDX-License-Identifier: GPL-2.0
-- More servers than one: schema.sql on each, then this on each. The server's remote_servers must have a
-- cluster called tcpfsm. Each host ships to one of the servers, always the
-- same, for only there rows that come twice meet; ask the tables with _all.

CREATE TABLE IF NOT EXISTS tcpfsm.transitions_all AS tcpfsm.transitions
ENGINE = Distributed(tcpfsm, tcpfsm, transitions, cityHash64(host));

CREATE TABLE IF NOT EXISTS tcpfsm.flows_all AS tcpfsm.flows
ENGINE = Distributed(tcpfsm, tcpfsm, flows, cityHash64(host));

CREATE TABLE IF NOT EXISTS tcpfsm.losses_all AS tcpfsm.losses
ENGINE = Distributed(tcpfsm, tcpfsm, losses, cityHash64(host));
