"""Rotation while nobody looks: while the agent is down, and while nothing can be sent; plain and
compressed. Only the exact path matches."""

import os
import subprocess

import pytest
from tools import Loggen, loggen
from waiting import TIME_SCALE, wait_for
from wherry import FAST_RETRY, OK, base_config

TOTAL = 90000
PART = TOTAL // 3


def pack(path, kind):
    """Compresses a file as rotation does: the time of its last write stays."""
    if kind == "gzip":
        subprocess.run(["gzip", os.fspath(path)], check=True)
    elif kind == "zstd":
        subprocess.run(["zstd", "-q", "--rm", os.fspath(path)], check=True)


def set_times(paths, step):
    """The last writes of the files, oldest first, `step` seconds apart, the newest now."""
    newest = max(os.stat(p).st_mtime for p in paths)
    for age, path in enumerate(reversed(paths)):
        os.utime(path, (newest - age * step, newest - age * step))


def assert_each_generation_is_its_file(sink, total):
    """Sorted by offset the lines of each generation are as they were written."""
    stats = sink.stats()
    assert stats["unique"] == total and stats["repeated_ids"] == 0, stats
    assert stats.get("disordered", 0) == 0, stats


# ---- while the agent is down

NAMES = {
    "logrotate": ("a.log.2", "a.log.1"),  # older, younger
    "reverse": ("a.log.1", "a.log.2"),
    "dateext": ("a.log-20261122", "a.log-20261123"),
    "dated_stem": ("a-2026-11-22.log", "a-2026-11-23.log"),
}


@pytest.mark.parametrize("packed", ["plain", "gzip", "zstd"])
@pytest.mark.parametrize("names", list(NAMES))
def test_two_renames_while_down(agent, sink, tmp_path, names, packed):
    """One generation was read half, one is born and rotated away unseen, one is there now."""
    log = tmp_path / "a.log"
    older, younger = (tmp_path / name for name in NAMES[names])
    one = agent(base_config(sink.url, [log], **FAST_RETRY))
    loggen(log, PART // 2)
    one.run_once()
    loggen(log, PART // 2, start_seq=PART // 2 + 1)
    os.rename(log, older)
    loggen(log, PART, start_seq=PART + 1)
    os.rename(log, younger)
    loggen(log, PART, start_seq=2 * PART + 1)
    for path in (older, younger):
        pack(path, packed)
    one.run_once()
    sink.assert_exactly({"w1": TOTAL})
    assert_each_generation_is_its_file(sink, TOTAL)
    run = one.run_once()
    assert run.ledger["read"]["bytes"] == 0, "nothing is read again"


def test_same_time_of_all_files(agent, sink, tmp_path):
    """Where times say nothing nothing is lost or repeated."""
    log = tmp_path / "a.log"
    one = agent(base_config(sink.url, [log], **FAST_RETRY))
    loggen(log, 500)
    one.run_once()
    loggen(log, 500, start_seq=501)
    os.rename(log, tmp_path / "a.log.1")
    loggen(log, 1000, start_seq=1001)
    now = os.stat(log).st_mtime_ns
    for name in ("a.log", "a.log.1"):
        os.utime(tmp_path / name, ns=(now, now))
    one.run_once()
    sink.assert_exactly({"w1": 2000})
