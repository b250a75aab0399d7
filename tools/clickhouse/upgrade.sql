-- SPDX-License-Identifier: GPL-2.0
-- Once, for tables that version 0.1 made:  clickhouse-client --multiquery < upgrade.sql
-- Rows got the columns netns and nat_*. Where they are there already, this says so and changes nothing.

ALTER TABLE tcpfsm.transitions
    ADD COLUMN netns String AFTER time_ns,
    ADD COLUMN nat_dst String AFTER dport,
    ADD COLUMN nat_dport UInt16 AFTER nat_dst,
    ADD COLUMN nat_src String AFTER nat_dport,
    ADD COLUMN nat_sport UInt16 AFTER nat_src;

ALTER TABLE tcpfsm.flows
    ADD COLUMN netns String AFTER start_ns,
    ADD COLUMN nat_dst String AFTER dport,
    ADD COLUMN nat_dport UInt16 AFTER nat_dst,
    ADD COLUMN nat_src String AFTER nat_dport,
    ADD COLUMN nat_sport UInt16 AFTER nat_src;

ALTER TABLE tcpfsm.losses
    ADD COLUMN netns String AFTER time_ns;
