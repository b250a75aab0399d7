-- SPDX-License-Identifier: GPL-2.0
-- Questions to a fleet. Each of the last hour (change 3600); FINAL leaves out rows that came twice. A flow is
-- told of by every host that it passes, hence host stands in each answer.

-- 1. Who leaks CLOSE_WAIT: ends that entered it and have not left it, by host and service
SELECT host, dst, dport, end, count() AS ends, toUnixTimestamp(now()) - intDiv(min(since), 1000000000) AS oldest_s
FROM
(
    SELECT host, boot, flow, end, any(dst) AS dst, any(dport) AS dport, argMax(to, step) AS state, max(time_ns) AS since
    FROM tcpfsm.transitions FINAL
    WHERE time_ns > (toUnixTimestamp(now()) - 3600) * 1000000000
    GROUP BY host, boot, flow, end
)
WHERE state = 'CLOSE_WAIT'
GROUP BY host, dst, dport, end
ORDER BY ends DESC
LIMIT 20;

-- 2. Reset storms: who resets whom, by the minute
SELECT toStartOfMinute(time) AS minute, host, dst, dport, reason, count() AS resets
FROM tcpfsm.flows FINAL
WHERE time_ns > (toUnixTimestamp(now()) - 3600) * 1000000000 AND reason IN ('rst-orig', 'rst-resp', 'rst-host', 'refused')
GROUP BY minute, host, dst, dport, reason
ORDER BY resets DESC
LIMIT 20;

-- 3. The slowest handshakes by service: from the first SYN to the ACK of the SYN|ACK, which on the host of orig
--    is when connect() returns, and a way of the client later elsewhere
SELECT host, dst, dport, count() AS handshakes, round(quantile(0.5)(dwell_ns) / 1e6, 3) AS median_ms,
       round(quantile(0.99)(dwell_ns) / 1e6, 3) AS p99_ms, round(max(dwell_ns) / 1e6, 3) AS max_ms
FROM tcpfsm.transitions FINAL
WHERE time_ns > (toUnixTimestamp(now()) - 3600) * 1000000000 AND from = 'SYN_SENT' AND to = 'ESTABLISHED'
GROUP BY host, dst, dport
ORDER BY p99_ms DESC
LIMIT 20;

-- 4. Which services were asked and did not answer, or not in time
SELECT host, dst, dport, countIf(reason = 'refused') AS refused,
       countIf(reason IN ('timeout', 'silent')) AS silent, count() AS failed
FROM tcpfsm.flows FINAL
WHERE time_ns > (toUnixTimestamp(now()) - 3600) * 1000000000 AND position(orig_history, 'ESTABLISHED') = 0 AND start_ns > 0
GROUP BY host, dst, dport
ORDER BY failed DESC
LIMIT 20;

-- 5. Is all of it here (but for what a run that died had not written yet): rows by run against the numbers they were given, and what was lost before
SELECT host, boot, run, max(last) AS numbered, sum(rows) AS arrived, numbered - arrived AS missing, sum(lost) AS lost
FROM
(
    SELECT host, boot, run, max(seq) AS last, count() AS rows, toUInt64(0) AS lost
    FROM tcpfsm.transitions FINAL GROUP BY host, boot, run
    UNION ALL
    SELECT host, boot, run, max(seq) AS last, count() AS rows, toUInt64(0) AS lost
    FROM tcpfsm.flows FINAL GROUP BY host, boot, run
    UNION ALL
    SELECT host, boot, run, max(seq) AS last, count() AS rows, sum(lost) AS lost
    FROM tcpfsm.losses FINAL GROUP BY host, boot, run
)
GROUP BY host, boot, run
ORDER BY run;
