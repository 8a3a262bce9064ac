"""Metrics while the output is away: in the spool they outlive the process, without it they wait in a
bounded queue and what is dropped is counted."""

import glob
import os

import fault_server as fs
import pytest
from waiting import wait_for
from wherry import base_config

SETS = ["load", "memory", "uptime", "cpu", "network", "vmstat"]


def spool_config(url, tmp_path, **more):
    config = base_config(url, [tmp_path / "*.log"], output__backoff__init="20ms",
                         output__backoff__max="100ms", shutdown_timeout="100ms")
    config.update({"metrics.enabled": True, "metrics.period": "1s", "metrics.sets": SETS,
                   "namespace": "x", "spool.enabled": True})
    config.update(("metrics.%s.period" % s, "1s") for s in ("uptime",))
    config.update(more)
    return config


def generations(server):
    """The sequence numbers of each life, sorted."""
    found = {}
    for _, id_ in list(server.docs):
        found.setdefault(id_[:12], []).append(int(id_[12:], 16))
    return {g: sorted(s) for g, s in found.items()}


def assert_none_missing(server, lives):
    found = generations(server)
    assert len(found) == lives
    for sequences in found.values():
        assert sequences == list(range(len(sequences))), "a hole: a sample is missing"


def spooled(tmp_path):
    return sum(os.path.getsize(p) for p in glob.glob(str(tmp_path / "data/spool/*")))


def test_nothing_touches_the_disk_while_all_is_well(agent, server, tmp_path):
    one = agent(spool_config(server.url, tmp_path)).start()
    made = os.stat(tmp_path / "data/spool").st_mtime_ns
    wait_for(lambda: len(server.docs) >= 25, what="documents")
    assert os.stat(tmp_path / "data/spool").st_mtime_ns == made, "no file was made there"
    assert one.stop() == 0
    assert_none_missing(server, 1)
    assert one.ledger["in_flight"]["lines"] == 0


def test_an_outage_loses_and_repeats_nothing(agent, server, tmp_path):
    """With a kill -9 and a stop in its midst."""
    one = agent(spool_config(server.url, tmp_path)).start()
    wait_for(lambda: len(server.docs) >= 10, what="the first documents")
    server.pause()
    for end in (one.kill, one.stop, one.kill):
        before = spooled(tmp_path)
        wait_for(lambda b=before: spooled(tmp_path) > b + 5000, 60, what="frames in the spool")
        end()
        one.start()
    server.start()
    wait_for(lambda: len(generations(server)) == 4, what="all four lives")
    wait_for(lambda: os.listdir(tmp_path / "data/spool") == [], what="an empty spool")
    assert one.stop() == 0
    assert_none_missing(server, 4)
    assert one.ledger["abandoned"]["lines"] == 0


def many_interfaces(tmp_path, count):
    """A /proc in which one sample of the set network is that many documents."""
    net = tmp_path / "proc" / "1" / "net"
    net.mkdir(parents=True)
    head = "Inter-|   Receive | Transmit\n face |bytes packets errs ...\n"
    (net / "dev").write_text(head + "".join(
        "eth%d: 100 2 0 0 0 0 0 0 300 4 0 0 0 0 0 0\n" % i for i in range(count)))
    return {"HOST_PROC": str(tmp_path / "proc")}


@pytest.mark.parametrize("spool, reason", [(False, "queue_full"), (True, "spool")])
def test_what_is_dropped_is_counted(agent, server, tmp_path, spool, reason):
    config = spool_config(server.url, tmp_path, shutdown_timeout="10s")
    config.update({"metrics.sets": ["network"], "spool.enabled": spool})
    config["spool.max_bytes"] = "64KiB"
    env = many_interfaces(tmp_path, 1200 if spool else 400)
    server.pause()
    one = agent(config, env=env).start()
    one.wait_log("dropped the [0-9]+ oldest", 60)
    server.start()
    wait_for(lambda: len(server.docs) > 500, what="what was kept")
    if spool:
        wait_for(lambda: os.listdir(tmp_path / "data/spool") == [], what="an empty spool")
    assert one.stop() == 0
    (sequences,) = generations(server).values()
    reasons = one.ledger["abandoned"]["reasons"]
    dropped = sum(r["lines"] for r in reasons.values())
    assert reasons[reason]["lines"] > 0 and set(reasons) <= {reason, "shutdown"}
    assert one.ledger["in_flight"]["lines"] == 0
    assert one.ledger["acknowledged"]["lines"] == len(server.docs)
    assert one.ledger["read"]["lines"] == len(server.docs) + dropped
    assert sequences[-1] + 1 - len(sequences) <= dropped
    assert one.ledger["documents"]["duplicate"] == 0


def test_an_unwritable_spool_is_no_reason_to_stop(agent, server, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "spool").write_text("a file, no directory")
    one = agent(spool_config(server.url, tmp_path)).start()
    assert one.log_lines("spool.*metrics wait in memory only")
    wait_for(lambda: len(server.docs) >= 10, what="documents")
    assert one.stop() == 0


def test_damaged_files_are_told_and_the_rest_is_sent(agent, server, tmp_path):
    one = agent(spool_config(server.url, tmp_path)).start()
    wait_for(lambda: len(server.docs) >= 5, what="the first documents")
    server.pause()
    wait_for(lambda: spooled(tmp_path) > 8000, 60, what="frames in the spool")
    one.kill()
    (path,) = glob.glob(str(tmp_path / "data/spool/*"))
    with open(path, "r+b") as f:
        f.seek(100)
        f.write(b"\xff" * 8)
    with open(path, "ab") as f:
        f.write(b"torn")
    one.start()
    server.start()
    assert one.log_lines("spool: .*damaged")
    assert one.log_lines("documents of an earlier run are sent")
    wait_for(lambda: os.listdir(tmp_path / "data/spool") == [], what="an empty spool")
    assert one.stop() == 0
    assert len(generations(server)) == 2
