"""A backlog behind offsets of more than 32 bits. Not in the usual run: make e2e-backlog."""

import os
import shutil

import pytest
from tools import Loggen
from waiting import wait_for
from wherry import FAST_RETRY, OK, base_config

SIZE = 1000
FIRST = (4 << 30) // SIZE + 100000  # lines to beyond 4 GiB
BACKLOG = 5_000_000_000 // SIZE + 1


@pytest.mark.backlog
def test_five_gb_beyond_four_gib_resume_at_the_exact_byte(agent, sink, tmp_path):
    """Stopped beyond 4 GiB; 5 GB are written while it is down, and it is killed twice on its way
    through them: each line once."""
    log = tmp_path / "big.log"
    total = FIRST + BACKLOG
    if shutil.disk_usage(tmp_path).free < total * SIZE + (4 << 30):
        pytest.skip("it takes %d GB of disk" % (total * SIZE / 1e9 + 4))
    try:
        Loggen(log, FIRST, burst=1000, size=SIZE).wait(600)
        one = agent(base_config(sink.url, [log], **FAST_RETRY)).start()
        sink.wait_unique(FIRST, deadline=1200)
        assert one.stop() == OK
        offset = log.stat().st_size
        assert offset > 4 << 30 and one.ledger["acknowledged"]["bytes"] == offset

        Loggen(log, BACKLOG, burst=1000, size=SIZE, start_seq=FIRST + 1).wait(600)
        assert log.stat().st_size - offset >= 5_000_000_000
        one.start()
        for part in (BACKLOG // 4, BACKLOG // 2):
            wait_for(lambda p=part: sink.stats()["unique"] > FIRST + p, 1200, "a part of the lines",
                     interval=0.1)
            one.kill()
            one.start()
        sink.wait_unique(total, deadline=1200)
        assert one.stop() == OK
        sink.assert_exactly({"w1": total})
        assert one.ledger["abandoned"]["bytes"] == 0
        assert one.ledger["read"]["bytes"] <= 5_000_000_000 * 3 // 4
    finally:
        if os.path.exists(log):
            os.unlink(log)
