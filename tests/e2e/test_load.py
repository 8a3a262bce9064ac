"""Under load: what the hot path allocates, and the run for the thread sanitizer."""

import re
import time

import pytest
from tools import Loggen, Sink, loggen
from waiting import TIME_SCALE, wait_for
from wherry import OK, base_config


def memory_calls(agent, sink, tmp_path, lines):
    directory = tmp_path / ("n%d" % lines)
    directory.mkdir()
    loggen(directory / "a.log", lines, burst=1000)
    sink.call("/_sink/reset", {})
    config = base_config(sink.url, [directory / "a.log"])
    config["logging.level"] = "debug"
    run = agent(config, directory=directory).run_once(deadline=180)
    sink.assert_exactly({"w1": lines})
    found = re.findall(r"memory calls (\d+)", run.stderr)
    assert found, "no count was printed: %s" % run.stderr[-2000:]
    return int(found[-1])


def test_nothing_is_allocated_per_line(agent, sink, tmp_path):
    """A hundred times the lines cost as many calls of the allocator."""
    few = memory_calls(agent, sink, tmp_path, 10000)
    many = memory_calls(agent, sink, tmp_path, 1000000)
    assert abs(many - few) < 1000, "%d calls for 10,000 lines, %d for 1,000,000" % (few, many)


def test_a_refusing_server_under_load(agent, sink, tmp_path):
    """Items refused at random, connections cut: all lines, each once."""
    sink.faults(item429=0.001, cut_every=20, delay_ms=2, seed=3)
    lines = int(100000 / TIME_SCALE)
    loggen(tmp_path / "a.log", lines, burst=1000, size=300)
    run = agent(base_config(sink.url, [tmp_path / "a.log"], output__backoff__init="10ms",
                            output__backoff__max="100ms")).run_once()
    sink.assert_exactly({"w1": lines})
    stats = sink.stats()
    assert stats["status"]["429"] > 0 and stats["repeated_ids"] > 0
    assert 0 < run.ledger["documents"]["duplicate"] <= stats["repeated_ids"]


@pytest.mark.tsan30
def test_thirty_seconds_of_everything(agent, tmp_path):
    """Writers, rotation, metrics, retries, cut connections, restarts; for a sanitizer to watch."""
    names = ("w1", "w2", "w3")
    with Sink() as sink:
        sink.faults(item429=0.0005, cut_every=40, delay_ms=3)
        config = base_config(sink.url, [tmp_path / "w*.log*"], output__backoff__init="20ms",
                             output__backoff__max="200ms", output__compression="gzip",
                             shutdown_timeout="2s")
        config.update({"metrics.enabled": True, "metrics.period": "1s"})
        one = agent(config).start()
        writers = [Loggen(tmp_path / (name + ".log"), 30000, writer=name, rate=1000, burst=5,
                          rotate_every=4000) for name in names]
        for _ in range(2):
            end = time.monotonic() + 10
            while time.monotonic() < end and any(w.running for w in writers):
                time.sleep(0.1)
            assert one.stop() == OK
            one.start()
        for writer in writers:
            writer.wait()
        expected = {name: 30000 for name in names}
        sink.wait_unique(sum(expected.values()))
        wait_for(lambda: {n: w["unique"] for n, w in sink.stats()["writers"].items()} == expected,
                 60, lambda: "all lines: %r" % sink.stats())
        assert one.stop() == OK
        sink.assert_exactly(expected)
