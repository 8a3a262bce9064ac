"""Streams that refuse among others that do not: memory stays, the others go on, nothing is lost."""

import os

import fault_server as fs
import pytest
import seqline
from tools import loggen
from waiting import TIME_SCALE, wait_for
from wherry import FAST_RETRY, OK, base_config

LINES = 30000  # of a stream: more than the agent may keep
BLOCKED = (403, "cluster_block_exception", "index [x] blocked by: [FORBIDDEN/8/index write (api)];")


def refuse(names):
    """A step that blocks these streams."""
    return fs.bulk_reply(lambda n, a: BLOCKED if a.index.split("-")[1] in names else None)


@pytest.mark.parametrize("refusing", [1, 5, 24])
def test_streams_that_refuse_hold_up_no_other(agent, server, tmp_path, refusing):
    names = ["bad%d" % n for n in range(refusing)]
    paths = {name: tmp_path / (name + ".log") for name in [*names, "good"]}
    for name in names:
        loggen(paths[name], LINES // 2, writer=name)
        with open(paths[name], "a") as f:
            f.write("\n" * 100)
        loggen(paths[name], LINES // 2, writer=name, start_seq=LINES // 2 + 1)
    paths["good"].touch()
    inputs = [{"paths": [os.fspath(path)], "dataset": name, "id": name}
              for name, path in paths.items()]
    server.always(refuse(names))
    one = agent(base_config(server.url, [], inputs=inputs, **FAST_RETRY)).start()
    wait_for(lambda: len({a.index for r in server.bulks for a in r.actions}) == refusing,
             60, "a refusal of each")
    loggen(paths["good"], LINES, writer="good")
    wait_for(lambda: len(server.documents("logs-good-default")) == LINES, 60,
             lambda: "%d of the good" % len(server.documents("logs-good-default")))
    before = one.memory_kib()
    loggen(paths["good"], LINES, writer="good", start_seq=LINES + 1)
    wait_for(lambda: len(server.documents("logs-good-default")) == 2 * LINES, 60,
             lambda: "%d of the good" % len(server.documents("logs-good-default")))
    assert one.memory_kib() <= before + 2048 * TIME_SCALE
    assert len(server.docs) == 2 * LINES
    os.rename(paths["bad0"], tmp_path / "bad0.log.1")
    loggen(paths["bad0"], 1000, writer="bad0", start_seq=LINES + 1)
    server.always(None)
    server.wait_docs((refusing + 2) * LINES + 1000, 120)
    assert one.stop() == OK
    checker = seqline.Checker()
    for message in server.messages():
        checker.add(message)
    checker.assert_exactly({"good": 2 * LINES, "bad0": LINES + 1000,
                            **{name: LINES for name in names[1:]}})
    written = sum(p.stat().st_size for p in tmp_path.glob("*.log*"))
    ledger = one.ledger
    assert ledger["read"]["bytes"] == written
    assert ledger["acknowledged"]["lines"] == ledger["documents"]["encoded"] == len(server.docs)
    assert ledger["skipped"]["lines"] == 100 * refusing
    assert server.duplicates == 0
