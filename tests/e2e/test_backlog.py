"""A backlog behind offsets of more than 32 bits. Not in the usual run: make e2e-backlog."""

import os

import pytest
from tools import Loggen
from waiting import wait_for
from wherry import FAST_RETRY, OK, base_config

HOLE = (4 << 30) + 12345
LINES = 4000000


@pytest.mark.backlog
def test_resumes_at_the_exact_byte_beyond_four_gib(agent, sink, tmp_path):
    """Killed twice on its way through the lines behind a hole of 4 GiB: each line once."""
    log = tmp_path / "big.log"
    try:
        with open(log, "wb") as f:
            f.truncate(HOLE)
            f.seek(HOLE)
            f.write(b"\n")
        Loggen(log, LINES, burst=1000, size=200).wait()
        assert log.stat().st_size > HOLE + LINES * 150
        sink.faults(delay_ms=5)
        one = agent(base_config(sink.url, [log], input__max_bytes="64KiB", **FAST_RETRY)).start()
        for part in (LINES // 4, LINES // 2):
            wait_for(lambda p=part: sink.stats()["unique"] > p, 300, "a part of the lines")
            one.kill()
            one.start()
        sink.wait_unique(LINES, deadline=300)
        assert one.stop() == OK
        assert sink.missing("w1", LINES)["missing"] == 0
        stats = sink.stats()
        # the hole itself is one cut line, which is none of the writer's
        assert stats["altered"] == 1 and stats["repeated_lines"] == 0, stats
        assert one.ledger["abandoned"]["bytes"] == 0
    finally:
        if os.path.exists(log):
            os.unlink(log)
