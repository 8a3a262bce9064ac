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
    wait_for(lambda: len(server.docs) >= 15, what="documents")
    assert os.listdir(tmp_path / "data/spool") == []
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
