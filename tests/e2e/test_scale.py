"""Many files, few file descriptors; one loud file among quiet ones."""

import os
import time

import pytest
import seqline
import wherry
from tools import Loggen
from waiting import SANITIZED, wait_for
from wherry import OK, base_config

FILES = 10000


@pytest.fixture
def few_descriptors(tmp_path, monkeypatch):
    """Agents may have 256 files open, and cannot ask for more."""
    script = tmp_path / "with-256"
    script.write_text("#!/bin/sh\nulimit -n 256\nexec '%s' \"$@\"\n" % wherry.BINARY)
    script.chmod(0o755)
    monkeypatch.setattr(wherry, "BINARY", os.fspath(script))


def write_all(directory, text, names, mode="a"):
    for name in names:
        with open(directory / name, mode) as f:
            f.write(text.replace("%s", name))


def test_ten_thousand_files_under_256_descriptors(agent, server, tmp_path, few_descriptors):
    """All are read, written ones again, and all are followed through a rotation."""
    few = tmp_path / "few"
    many = tmp_path / "many"
    names = ["f%05d.log" % n for n in range(FILES)]
    for directory in (few, many):
        directory.mkdir()
        (directory / "agent").mkdir()
    write_all(few, "line of %s\n" * (FILES // 5), names[:10])  # as many lines
    write_all(many, "first of %s\n", names)
    small = agent(base_config(server.url, [few / "*.log"]), directory=few / "agent").start()
    server.wait_docs(2 * FILES)
    least = small.memory_kib()
    assert small.stop() == OK
    one = agent(base_config(server.url, [many / "*.log"]), directory=many / "agent").start()
    server.wait_docs(3 * FILES, deadline=120)
    write_all(many, "second of %s\n", names)
    server.wait_docs(4 * FILES, deadline=120)
    assert len(os.listdir("/proc/%d/fd" % one.pid)) <= 256
    wait_for(lambda: SANITIZED or one.memory_kib() - least < 16 * 1024, 60,
             lambda: "%d KiB more than for 10 files" % (one.memory_kib() - least))
    for name in names:
        os.rename(many / name, many / (name + ".1"))
    write_all(many, "new in %s\n", names)
    server.wait_docs(5 * FILES, deadline=120)
    assert one.stop(deadline=60) == OK
    expected = {text % name for name in names
                for text in ("first of %s", "second of %s", "new in %s")}
    assert expected <= set(server.messages()) and len(server.docs) == 5 * FILES
    assert not one.log_lines("went away|cannot read|Too many open")


def test_a_loud_file_does_not_keep_quiet_ones_waiting(agent, sink, tmp_path):
    """Lines of a hundred quiet files arrive while the loud one is far from drained."""
    lines = 1500000
    quiet = ["q%d" % n for n in range(100)]
    loud = Loggen(tmp_path / "loud.log", lines, writer="loud", burst=1000, size=100)
    loud.wait()
    sink.faults(delay_ms=40)
    one = agent(base_config(sink.url, [tmp_path / "*.log"])).start()
    wait_for(lambda: sink.stats()["unique"] > 0, what="the loud file is read")
    for name in quiet:
        (tmp_path / (name + ".log")).write_text(seqline.line(name, 1) + "\n")

    def arrived():
        seen = sink.stats()["writers"]
        return seen if all(name in seen for name in quiet) else None
    seen = wait_for(arrived, 60, "all quiet files")
    assert seen["loud"]["unique"] < lines / 2, seen["loud"]
    sink.faults(delay_ms=0)
    sink.wait_unique(lines + len(quiet), deadline=120)
    assert one.stop() == OK


@pytest.mark.idle
def test_what_ten_thousand_idle_files_cost(agent, server, tmp_path, few_descriptors):
    """Measured and printed over a minute and a scan, not asserted: make e2e-idle."""
    logs = tmp_path / "logs"
    (logs / "agent").mkdir(parents=True)
    write_all(logs, "line of %s\n", ["f%05d.log" % n for n in range(FILES)])
    one = agent(base_config(server.url, [logs / "*.log"]), directory=logs / "agent").start()
    server.wait_docs(FILES, deadline=120)

    def ticks():
        with open("/proc/%d/stat" % one.pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])
    time.sleep(5)
    before, begin = ticks(), time.monotonic()
    time.sleep(65)
    share = (ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - begin)
    print("%d idle files: %.3f %% of a core, RssAnon %d KiB" % (
        FILES, 100 * share, one.memory_kib()))
    assert len(server.docs) == FILES
