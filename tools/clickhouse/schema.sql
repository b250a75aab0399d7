-- SPDX-License-Identifier: GPL-2.0
-- What tcpfsm ship sends, from ClickHouse 18.16 on:  clickhouse-client --multiquery < schema.sql
-- Tables that an older version made need upgrade.sql as well.
--
-- A row's key is (host, boot, run, seq): boot is the kernel's boot_id, run the time at which ship was
-- started, seq the row's number in that run over all three tables, without a gap. A row that came twice
-- has the same key; merges remove it, and FINAL does in a query. A seq that is missing is a row that is
-- still in that host's spool, was refused, or went from a full one (losses tells of these).
--
-- A table has a partition for each day; ALTER TABLE tcpfsm.transitions DROP PARTITION '2026-11-21' forgets one.
--
-- Times are ns since 1970 (of transitions, and start_ns, by the module's clock; else when ship heard of it), spans ns; columns are called as in tcpfsm -j. Addresses are
-- text as they were sent, and src_ip and dst_ip 16 bytes to compare, IPv4 mapped into IPv6.

CREATE DATABASE IF NOT EXISTS tcpfsm;

-- One endpoint of a flow moved from one state to another.
CREATE TABLE IF NOT EXISTS tcpfsm.transitions
(
    host String,
    boot String,
    run UInt64,
    seq UInt64,
    time_ns UInt64,
    netns String,           -- the network namespace, as tcpfsm states -A calls it
    flow UInt64,            -- of this boot and user namespace, while the module stays loaded; 0 is none
    step UInt32,            -- of this flow, from 1
    src String,             -- '' where not known, as are ports 0
    sport UInt16,
    dst String,
    dport UInt16,
    nat_dst String,         -- where nf_conntrack translates: where orig sends to, and
    nat_dport UInt16,
    nat_src String,         -- from where resp hears; '' and 0 where it does not, or is not known to
    nat_sport UInt16,
    end String,             -- orig or resp
    from String,
    to String,
    cause String,
    dwell_ns UInt64,        -- how long the endpoint was in the state it left
    correction UInt8,
    inferred UInt8,
    time DateTime MATERIALIZED toDateTime(intDiv(time_ns, 1000000000)),
    src_ip FixedString(16) MATERIALIZED IPv6StringToNum(multiIf(src = '', '::', position(src, ':') > 0, src, concat('::ffff:', src))),
    dst_ip FixedString(16) MATERIALIZED IPv6StringToNum(multiIf(dst = '', '::', position(dst, ':') > 0, dst, concat('::ffff:', dst)))
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(intDiv(time_ns, 1000000000))
ORDER BY (host, boot, run, seq);

-- A flow ended.
CREATE TABLE IF NOT EXISTS tcpfsm.flows
(
    host String,
    boot String,
    run UInt64,
    seq UInt64,
    time_ns UInt64,
    start_ns UInt64,
    netns String,
    flow UInt64,
    src String,
    sport UInt16,
    dst String,
    dport UInt16,
    nat_dst String,
    nat_dport UInt16,
    nat_src String,
    nat_sport UInt16,
    reason String,
    refused UInt8,          -- segments that moved nothing; 255: or more
    flags String,           -- a comma between, - for none
    orig String,            -- the last state
    orig_packets UInt64,
    orig_bytes UInt64,
    orig_history String,    -- the last states, > between
    resp String,
    resp_packets UInt64,
    resp_bytes UInt64,
    resp_history String,
    time DateTime MATERIALIZED toDateTime(intDiv(time_ns, 1000000000)),
    src_ip FixedString(16) MATERIALIZED IPv6StringToNum(multiIf(src = '', '::', position(src, ':') > 0, src, concat('::ffff:', src))),
    dst_ip FixedString(16) MATERIALIZED IPv6StringToNum(multiIf(dst = '', '::', position(dst, ':') > 0, dst, concat('::ffff:', dst)))
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(intDiv(time_ns, 1000000000))
ORDER BY (host, boot, run, seq);

-- Events that never came, counted: from the module (transition, flow), or from a spool that was full.
CREATE TABLE IF NOT EXISTS tcpfsm.losses
(
    host String,
    boot String,
    run UInt64,
    seq UInt64,
    time_ns UInt64,
    netns String,
    what String,            -- transition, flow, spool
    lost UInt64,
    cpu UInt32,
    first UInt64,
    time DateTime MATERIALIZED toDateTime(intDiv(time_ns, 1000000000))
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(intDiv(time_ns, 1000000000))
ORDER BY (host, boot, run, seq);
