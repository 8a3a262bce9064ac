"""Where a container or a small host gives little: memory, processor time, and a sudden end."""

import signal
import subprocess
import sys

import pytest
import wherry
from cgroups import Cgroup
from tools import Loggen, die_with_parent, loggen
from waiting import TIME_SCALE, wait_for
from wherry import FAST_RETRY, OK, base_config

MIB = 1 << 20
CAP = 16 * MIB
lean = pytest.mark.skipif(TIME_SCALE > 1, reason="sanitizers alone take more than the limit")


@lean
def test_one_percent_of_a_core_and_16_mb(agent, sink, tmp_path, monkeypatch):
    """It catches up with what is there and with what is written meanwhile, under the limit."""
    log = tmp_path / "a.log"
    loggen(log, 100000)
    with Cgroup(memory=CAP, cpu=0.01) as group:
        monkeypatch.setattr(wherry, "BINARY", group.wrap(tmp_path, wherry.BINARY))
        one = agent(base_config(sink.url, [log])).start()
        Loggen(log, 20000, rate=2000, start_seq=100001).wait()
        sink.wait_unique(120000, deadline=120)
        sink.assert_exactly({"w1": 120000})
        assert group.memory_peak() <= CAP
        assert group.oom_kills() == 0
        assert one.stop(deadline=60) == OK
        assert one.ledger["acknowledged"]["lines"] == 120000


HOG = """
import sys
sys.stdin.readline()
taken = []
while True:
    taken.append(bytearray(b"x") * (1 << 20))
"""


@lean
@pytest.mark.parametrize("output", ["answers", "refuses"])
def test_killed_for_want_of_memory(agent, sink, tmp_path, monkeypatch, output):
    """Another process of its group takes all the memory: the next life goes on where it was."""
    log = tmp_path / "a.log"
    with Cgroup(memory=CAP) as group:
        monkeypatch.setattr(wherry, "BINARY", group.wrap(tmp_path, wherry.BINARY))
        one = agent(base_config(sink.url, [log], **FAST_RETRY)).start()
        writer = Loggen(log, 60000, rate=20000)
        sink.wait_unique(10000)
        if output == "refuses":
            sink.faults(item429=0.3)
        with open("/proc/%d/oom_score_adj" % one.pid, "w") as f:
            f.write("1000")  # whoever takes the memory, the agent is ended
        hog = subprocess.Popen([sys.executable, "-c", HOG], stdin=subprocess.PIPE,
                               preexec_fn=die_with_parent)
        try:
            group.add(hog.pid)
            hog.stdin.write(b"go\n")
            hog.stdin.flush()
            wait_for(lambda: one.last.code is not None, 60, "the end of the agent")
        finally:
            hog.kill()
            hog.wait()
        assert one.last.code == -signal.SIGKILL and group.oom_kills() >= 1
        one.last.killed = True
        one.start()
        writer.wait()
        sink.faults(item429=0)
        sink.wait_unique(60000)
        sink.assert_exactly({"w1": 60000})
        assert one.stop() == OK
