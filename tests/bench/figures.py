"""The figures to reach: all of them, in one table.

Each row: the case (see cases.py), what of it is judged, the comparison, the limit, and how the
number is written. Ratios are medians over the rounds, each round's runs beside each other in time.
"""

import collections

Figure = collections.namedtuple("Figure", "case what sign limit form")

# what is judged -> what the table calls it
WORDS = {
    "ceiling": "of the ceiling, MB per CPU second",
    "rsyslog": "times rsyslog, MB per CPU second",
    "plain": "of the same without TLS, MB per CPU second",
    "cpu": "% of a core",
    "wakeups": "wake-ups a second",
    "anon": "RssAnon, MiB",
    "p99": "p99 of write to accepted, ms",
    "start": "ms from start to the first document accepted",
    "size": "KB of the stripped program",
    "growth": "KiB of RSS a minute more, by the least of each minute but the first",
    "peak": "RssAnon at the most of all drains, MiB",
}

FIGURES = [
    Figure("nginx-plain-lean", "ceiling", ">=", 0.55, "%.2f"),
    Figure("nginx-plain-lean", "rsyslog", ">=", 25, "%.1f"),
    Figure("nginx-libdeflate-lean", "ceiling", ">=", 0.70, "%.2f"),
    Figure("nginx-isal-lean", "ceiling", ">=", 0.60, "%.2f"),
    Figure("nginx-plain-default", "ceiling", ">=", 0.55, "%.2f"),
    Figure("cri-plain-lean", "ceiling", ">=", 0.45, "%.2f"),
    Figure("tls", "plain", ">=", 0.80, "%.2f"),
    Figure("drains", "peak", "<=", 16, "%.1f"),
    Figure("steady", "cpu", "<=", 2, "%.2f"),
    Figure("steady", "wakeups", "<=", 100, "%.0f"),
    Figure("steady", "anon", "<=", 4, "%.2f"),
    Figure("idle", "cpu", "<=", 0.1, "%.3f"),
    Figure("idle", "wakeups", "<=", 3, "%.1f"),
    Figure("idle", "anon", "<=", 2.5, "%.2f"),
    Figure("idle-10000", "cpu", "<=", 0.3, "%.3f"),
    Figure("idle-10000", "anon", "<=", 7, "%.2f"),
    Figure("latency-default-100", "p99", "<=", 1000, "%.0f"),
    Figure("latency-default-10000", "p99", "<=", 1000, "%.0f"),
    Figure("latency-preset-100", "p99", "<=", 100, "%.0f"),
    Figure("latency-preset-10000", "p99", "<=", 100, "%.0f"),
    Figure("size", "size", "<=", 500, "%.0f"),
    Figure("backlog", "anon", "<=", 16, "%.1f"),
    Figure("soak", "growth", "<=", 4, "%.2f"),  # page noise: a page a minute
]

# A drain in which the agent's core was idle for more than this says nothing of the agent.
BUSY = 0.95
# A sink that needs more than this of its core may have been waited for.
SINK_BUSY = 0.50
# A core that other processes had for more than this leaves cold caches behind.
OTHERS = 0.20


def reached(figure, value):
    return value >= figure.limit if figure.sign == ">=" else value <= figure.limit
