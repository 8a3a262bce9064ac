"""Copies beside a log: copytruncate, by loggen, by hand, and by the real logrotate; backups."""

import os
import shutil
import signal
import subprocess

import pytest
from logrotate import Logrotate
from tools import Loggen, loggen
from waiting import wait_for
from wherry import FAST_RETRY, OK, base_config


def stalled(one):
    """It sees nothing of what happens until it goes on."""
    one.send_signal(signal.SIGSTOP)
    wait_for(lambda: open("/proc/%d/stat" % one.pid).read().rsplit(")", 1)[1].split()[0] == "T",
             what="the agent to stand still")


def copytruncate(log, number):
    """As a well-behaved writer and rotation do it together: nothing is written meanwhile."""
    shutil.copyfile(log, "%s.%d" % (log, number))
    os.truncate(log, 0)


# ---- copytruncate


@pytest.mark.parametrize("glob", ["a.log", "a.log*"])
def test_copytruncate_seven_times_under_load(agent, sink, tmp_path, glob):
    one = agent(base_config(sink.url, [tmp_path / glob], **FAST_RETRY)).start()
    loggen(tmp_path / "a.log", 40000, rate=20000, burst=20, rotate="copytruncate",
           rotate_every=5000)
    sink.wait_unique(40000)
    sink.assert_exactly({"w1": 40000})
    assert sink.stats()["repeated_ids"] == 0
    assert one.stop() == OK


@pytest.mark.parametrize("glob", ["a.log", "a.log*"])
def test_copytruncate_seven_times_while_the_agent_is_stalled(agent, sink, tmp_path, glob):
    """Stalled through copy and truncate; what is there then is shorter than before, or longer."""
    log = tmp_path / "a.log"
    one = agent(base_config(sink.url, [tmp_path / glob], **FAST_RETRY)).start()
    seq = 1
    for n in range(1, 8):
        loggen(log, 100, start_seq=seq)
        sink.wait_unique(seq + 99)
        stalled(one)
        loggen(log, 50, start_seq=seq + 100)
        copytruncate(log, n)
        more = 300 if n % 2 == 0 else 20
        loggen(log, more, start_seq=seq + 150)
        seq += 150 + more
        one.send_signal(signal.SIGCONT)
        sink.wait_unique(seq - 1)
    sink.assert_exactly({"w1": seq - 1})
    assert one.stop() == OK
    assert one.ledger["abandoned"]["bytes"] == 0


def test_two_copytruncates_while_the_agent_is_stalled(agent, sink, tmp_path):
    """What was written and cut off between is read from its copy, which no glob matches."""
    log = tmp_path / "a.log"
    one = agent(base_config(sink.url, [log], **FAST_RETRY)).start()
    loggen(log, 100)
    sink.wait_unique(100)
    stalled(one)
    loggen(log, 50, start_seq=101)
    copytruncate(log, 2)
    loggen(log, 50, start_seq=151)
    copytruncate(log, 1)
    loggen(log, 50, start_seq=201)
    one.send_signal(signal.SIGCONT)
    sink.wait_unique(250)
    sink.assert_exactly({"w1": 250})


def test_copytruncate_without_a_pause_loses_only_what_fell_between(agent, sink, tmp_path):
    """The writer goes on between copy and truncate: that is in no file any more."""
    log = tmp_path / "a.log"
    rotate = Logrotate(tmp_path, log, ["copytruncate"])
    one = agent(base_config(sink.url, [log], **FAST_RETRY)).start()
    writer = Loggen(log, 30000, rate=10000)
    for n in range(1, 4):
        wait_for(lambda seen=n * 5000: sink.stats()["unique"] >= seen, what="lines")
        rotate()
    writer.wait()
    loggen(log, 1, start_seq=30001)
    wait_for(lambda: sink.missing("w1", 30001, first=30001)["missing"] == 0, what="the last line")
    assert one.stop() == OK
    stats = sink.stats()
    assert stats["altered"] == 0 and stats["repeated_lines"] == 0, stats
    lost = 30001 - stats["unique"]
    files = sum(len((tmp_path / name).read_bytes().splitlines())
                for name in os.listdir(tmp_path) if name.startswith("a.log"))
    assert lost <= 30001 - files, "%d lost, but %d lines are in no file" % (lost, 30001 - files)
    assert one.ledger["documents"]["file_cuts"] == 3
    assert len(one.log_lines("a.log.* was truncated or rewritten at offset")) == 3


# ---- the real logrotate


@pytest.mark.parametrize("options", [
    ["copytruncate"], ["copytruncate", "dateext", "dateformat -%Y%m%d-%s"],
    ["copytruncate", "olddir old", "createolddir 755"],
    ["create", "olddir old", "createolddir 755"],
], ids=["copytruncate", "copytruncate_dateext", "copytruncate_olddir", "create_olddir"])
@pytest.mark.parametrize("down", [False, True], ids=["running", "down"])
def test_logrotate(agent, sink, tmp_path, options, down):
    """Each rotation finds lines that nobody has read yet."""
    log = tmp_path / "a.log"
    rotate = Logrotate(tmp_path, log, options)
    one = agent(base_config(sink.url, [log], input__olddir="old", **FAST_RETRY)).start()
    seq = 1
    for _ in range(3):
        loggen(log, 200, start_seq=seq)
        sink.wait_unique(seq + 199)
        if down:
            assert one.stop() == OK
        else:
            stalled(one)
        loggen(log, 100, start_seq=seq + 200)
        rotate()
        loggen(log, 100, start_seq=seq + 300)
        seq += 400
        if down:
            one.start()
        else:
            one.send_signal(signal.SIGCONT)
        sink.wait_unique(seq - 1)
    sink.assert_exactly({"w1": seq - 1})
    assert one.stop() == OK
    one.run_once()
    assert sink.stats()["unique"] == seq - 1 and sink.stats()["repeated_lines"] == 0


# ---- backups, and files that only begin alike


def test_a_backup_that_keeps_its_times_is_not_read_again(agent, server, tmp_path):
    """cp -p: its last write lies before its birth, so nobody has logged to it."""
    log = tmp_path / "a.log"
    log.write_text("".join("line %d of the original\n" % n for n in range(100)))
    one = agent(base_config(server.url, [tmp_path / "a.log*"]))
    one.run_once()
    birth = subprocess.run(["stat", "-c", "%W", os.fspath(log)], capture_output=True, text=True)
    if birth.stdout.strip() in ("0", "-", ""):
        pytest.skip("this file system does not know when a file was born")
    shutil.copy2(log, tmp_path / "a.log.bak")
    one.start()
    with open(log, "a") as f:
        f.write("more\n")
    server.wait_docs(101)
    one.wait_log("a.log.bak.* is a backup")
    with open(tmp_path / "a.log.bak", "a") as f:
        f.write("somebody logs to the backup\n")
    server.wait_docs(102)
    assert one.stop() == OK
    one.run_once()
    assert len(server.docs) == 102


def test_fifty_logs_with_the_same_banner_are_fifty_logs(agent, server, tmp_path):
    """Names that look like rotated ones, 4 KiB that are the same, then lines of their own."""
    banner = "".join("%063d\n" % n for n in range(64))
    names = ["a.log"] + ["a.log.%d" % n for n in range(1, 50)]
    one = agent(base_config(server.url, [tmp_path / "a.log*"])).start()
    for name in names:
        (tmp_path / name).write_text(banner + "own line of %s\n" % name)
    server.wait_docs(50 * 65)
    for name in names:
        with open(tmp_path / name, "a") as f:
            f.write("second line of %s\n" % name)
    server.wait_docs(50 * 66)
    assert one.stop() == OK
    messages = server.messages()
    for name in names:
        assert messages.count("own line of " + name) == 1
        assert messages.count("second line of " + name) == 1
