"""Rotation while nobody looks: while the agent is down, and while nothing can be sent; plain and
compressed. Only the exact path matches unless a test says otherwise."""

import os
import signal
import subprocess

import pytest
from logrotate import Logrotate
from tools import loggen
from waiting import wait_for
from wherry import FAST_RETRY, NOT_ALL, OK, base_config

TOTAL = 90000
PART = TOTAL // 3


def pack(path, kind):
    """Compresses a file as rotation does: the time of its last write stays."""
    if kind == "gzip":
        subprocess.run(["gzip", os.fspath(path)], check=True)
    elif kind == "zstd":
        subprocess.run(["zstd", "-q", "--rm", os.fspath(path)], check=True)


def stalled(one):
    """It sees nothing of what happens until it goes on."""
    one.send_signal(signal.SIGSTOP)
    wait_for(lambda: open("/proc/%d/stat" % one.pid).read().rsplit(")", 1)[1].split()[0] == "T",
             what="the agent to stand still")


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


# ---- the real logrotate, with compression

LOGROTATE = {
    "compress": ["create", "compress"],
    "delaycompress": ["create", "compress", "delaycompress"],
    "dateext": ["create", "compress", "dateext", "dateformat -%Y%m%d-%s"],
    "zstd": ["create", "compress", "compresscmd /usr/bin/zstd", "compressoptions -q",
             "compressext .zst"],
}


def write_and_rotate(log, rotate, rounds, lines, first):
    """Each round writes and rotates; what is written at last stays. Returns the next number."""
    for n in range(rounds + 1):
        loggen(log, lines, start_seq=first + n * lines)
        if n < rounds:
            rotate()
    return first + (rounds + 1) * lines


@pytest.mark.parametrize("options", list(LOGROTATE))
def test_four_rotations_while_down(agent, sink, tmp_path, options):
    log = tmp_path / "a.log"
    rotate = Logrotate(tmp_path, log, LOGROTATE[options])
    one = agent(base_config(sink.url, [log], **FAST_RETRY)).start()
    loggen(log, 1000)
    sink.wait_unique(1000)
    assert one.stop() == OK
    after = write_and_rotate(log, rotate, 4, 1000, 1001)
    one.start()
    sink.wait_unique(after - 1)
    assert one.stop() == OK
    one.run_once()
    sink.assert_exactly({"w1": after - 1})
    assert one.ledger["read"]["bytes"] == 0


@pytest.mark.parametrize("options", list(LOGROTATE))
@pytest.mark.parametrize("end", ["stays", "killed"])
def test_four_rotations_while_nothing_can_be_sent(agent, sink, tmp_path, options, end):
    """What was renamed, compressed and removed is held open; a kill takes that away."""
    log = tmp_path / "a.log"
    rotate = Logrotate(tmp_path, log, LOGROTATE[options])
    one = agent(base_config(sink.url, [log], **FAST_RETRY)).start()
    loggen(log, 1000)
    sink.wait_unique(1000)
    sink.faults(status=503, status_for=1000000)
    after = write_and_rotate(log, rotate, 4, 1000, 1001)
    if end == "killed":
        one.kill()
        one.start()
    sink.faults(status_for=0)
    sink.wait_unique(after - 1)
    assert one.stop() == OK
    one.run_once()
    sink.assert_exactly({"w1": after - 1})
    assert one.ledger["read"]["bytes"] == 0


# ---- deleted files


@pytest.mark.parametrize("packed", ["gzip", "zstd"])
def test_deleted_file_that_is_given_up_goes_on_in_its_compressed_form(agent, sink, tmp_path,
                                                                      packed):
    log = tmp_path / "a.log"
    sink.faults(status=503, status_for=1000000)
    one = agent(base_config(sink.url, [log], input__close={"deleted": {"max_age": "1s"}},
                            output__bulk_max_bytes="64KiB", **FAST_RETRY)).start()
    loggen(log, 60000)
    wait_for(lambda: sink.stats()["requests"] > 0, what="the first request")
    os.rename(log, tmp_path / "a.log.1")
    loggen(log, 10, start_seq=60001)
    pack(tmp_path / "a.log.1", packed)
    one.wait_log("closing deleted file")
    sink.faults(status_for=0)
    sink.wait_unique(60010)
    sink.assert_exactly({"w1": 60010})
    assert one.stop() == OK
    assert one.ledger["abandoned"]["bytes"] == 0


# ---- compressed files that a pattern matches


@pytest.mark.parametrize("packed", ["gzip", "zstd"])
def test_compressed_files_are_new_data_when_asked_for(agent, sink, tmp_path, packed):
    for n in range(1, 4):
        loggen(tmp_path / ("old.log.%d" % n), 1000, start_seq=n * 1000 - 999)
        pack(tmp_path / ("old.log.%d" % n), packed)
    one = agent(base_config(sink.url, [tmp_path / "*.log*"], input__compression="auto"))
    one.run_once()
    sink.assert_exactly({"w1": 3000})
    run = one.run_once()
    assert run.ledger["read"]["bytes"] == 0


def test_compressed_files_are_left_out_by_default(agent, sink, tmp_path):
    loggen(tmp_path / "old.log.1", 1000)
    pack(tmp_path / "old.log.1", "gzip")
    loggen(tmp_path / "new.log", 1000, writer="w2")
    agent(base_config(sink.url, [tmp_path / "*.log*"])).run_once()
    sink.assert_exactly({"w2": 1000})


@pytest.mark.parametrize("compression", ["none", "auto"])
@pytest.mark.parametrize("options", ["compress", "zstd"])
def test_what_was_read_is_not_read_again_compressed(agent, sink, tmp_path, compression, options):
    """The pattern matches the compressed files too: their content is known."""
    log = tmp_path / "logs" / "a.log"
    log.parent.mkdir()
    rotate = Logrotate(tmp_path, log, LOGROTATE[options])
    one = agent(base_config(sink.url, [tmp_path / "logs" / "*.log*"],
                            input__compression=compression, **FAST_RETRY)).start()
    for n in range(3):
        loggen(log, 1000, start_seq=n * 1000 + 1)
        sink.wait_unique(n * 1000 + 1000)
        rotate()
    loggen(log, 1000, start_seq=3001)
    sink.wait_unique(4000)
    assert one.stop() == OK
    one.run_once()
    rotate()
    one.run_once()
    sink.assert_exactly({"w1": 4000})


# ---- files that are damaged, or not whole yet


def half_read(agent, sink, log, **more):
    """A generation of which 1,000 lines were read and 9,000 were not."""
    one = agent(base_config(sink.url, [log], **FAST_RETRY, **more))
    loggen(log, 1000)
    one.run_once()
    loggen(log, 9000, start_seq=1001)
    return one


def test_damaged_compressed_file(agent, sink, tmp_path):
    """What can be read is read; the rest is counted and told of once. What comes out of it behind
    the damage, before that is noticed, is anything."""
    log = tmp_path / "a.log"
    one = half_read(agent, sink, log)
    os.rename(log, tmp_path / "a.log.1")
    pack(tmp_path / "a.log.1", "gzip")
    packed = tmp_path / "a.log.1.gz"
    with open(packed, "r+b") as f:
        f.seek(packed.stat().st_size // 2)
        f.write(b"\xff" * 64)
    run = one.run_once(allowed=(NOT_ALL,))
    assert 3000 < sink.stats()["unique"] < 10000
    assert run.ledger["abandoned"]["reasons"]["corrupt"]["bytes"] > 0
    assert len(one.log_lines(" warn .*compressed file")) == 1


def test_window_that_is_too_large(agent, sink, tmp_path):
    log = tmp_path / "a.log"
    one = half_read(agent, sink, log)
    with open(log, "rb") as source, open(tmp_path / "a.log.1.zst", "wb") as target:
        subprocess.run(["zstd", "-q", "--long=27", "-c"], stdin=source, stdout=target, check=True)
    os.unlink(log)
    run = one.run_once(allowed=(NOT_ALL,))
    assert run.ledger["abandoned"]["reasons"]["window"]["bytes"] > 0
    assert sink.stats()["unique"] == 1000


def test_compression_under_way_is_waited_for(agent, sink, tmp_path):
    log = tmp_path / "a.log"
    one = half_read(agent, sink, log)
    os.rename(log, tmp_path / "a.log.1")
    pack(tmp_path / "a.log.1", "gzip")
    packed = tmp_path / "a.log.1.gz"
    whole = packed.read_bytes()
    packed.write_bytes(whole[:len(whole) // 3])
    one.start()
    sink.wait_unique(2000)
    with open(packed, "ab") as f:
        f.write(whole[len(whole) // 3:])
    sink.wait_unique(10000)
    sink.assert_exactly({"w1": 10000})
    assert one.stop() == OK
    assert one.ledger["abandoned"]["bytes"] == 0


# ---- between two looks


def test_deleted_and_made_again_twice_between_two_looks(agent, sink, tmp_path):
    """The newest is read whole; of the one in between nobody can know."""
    log = tmp_path / "a.log"
    one = agent(base_config(sink.url, [log], **FAST_RETRY)).start()
    loggen(log, 1000)
    sink.wait_unique(1000)
    stalled(one)
    os.unlink(log)
    loggen(log, 10, writer="w2")
    os.unlink(log)
    loggen(log, 1000, start_seq=1001)
    one.send_signal(signal.SIGCONT)
    sink.wait_unique(2000)
    sink.assert_exactly({"w1": 2000})
    assert one.stop() == OK
