"""state: volatile: offsets in memory, copied to path.data at a stop and now and then."""

import shutil

from test_registry import entries, one_more
from test_state_disk import faulty
from tools import loggen
from waiting import wait_for
from wherry import FAST_RETRY, FAILED, OK, base_config


def config(sink, tmp_path, **more):
    return base_config(sink.url, [tmp_path / "*.log"], state="volatile",
                       path__volatile=str(tmp_path / "memory"), **FAST_RETRY, **more)


def files(directory):
    """Content of a registry's files."""
    return {p.name: p.read_bytes() for p in (directory / "registry").iterdir()}


def reboot(tmp_path):
    shutil.rmtree(tmp_path / "memory")


def saved(one, tmp_path):
    size = (tmp_path / "a.log").stat().st_size
    wait_for(lambda: entries(one_more(one)).get("a.log", {}).get("offset") == size, 20, "saved")


def copied(agent, sink, tmp_path):
    """What is in path.data, whatever is in memory."""
    return entries(agent(base_config(sink.url, [tmp_path / "*.log"]), name="copy"))


def test_running_agent_leaves_path_data_alone(agent, sink, tmp_path):
    one = agent(config(sink, tmp_path)).start()
    before = files(tmp_path / "data")
    loggen(tmp_path / "a.log", 200, writer="a")
    sink.wait_unique(200)
    saved(one, tmp_path)
    assert files(tmp_path / "data") == before
    assert copied(agent, sink, tmp_path) == {}


def test_killed_agent_goes_on_from_memory(agent, sink, tmp_path):
    one = agent(config(sink, tmp_path)).start()
    loggen(tmp_path / "a.log", 200, writer="a")
    sink.wait_unique(200)
    saved(one, tmp_path)
    one.kill()
    loggen(tmp_path / "a.log", 50, writer="a", start_seq=201)
    one.run_once()
    assert one.ledger["read"]["lines"] == 50
    sink.assert_exactly({"a": 250})


def test_clean_stop_moves_the_registry_to_path_data(agent, sink, tmp_path):
    one = agent(config(sink, tmp_path))
    for life in range(3):
        one.start()
        loggen(tmp_path / "a.log", 100, writer="a", start_seq=100 * life + 1)
        sink.wait_unique(100 * life + 100)
        assert one.stop() == OK
        assert files(tmp_path / "memory") == {}
        assert entries(one)["a.log"]["offset"] == (tmp_path / "a.log").stat().st_size
        reboot(tmp_path)
    assert [run.ledger["read"]["lines"] for run in one.runs if run.ledger_due] == [100] * 3
    sink.assert_exactly({"a": 300})


def test_copied_now_and_then(agent, sink, tmp_path):
    """A power loss costs what was saved since the last copy: read again, nothing lost."""
    one = agent(config(sink, tmp_path, state_save_interval="1s")).start()
    loggen(tmp_path / "a.log", 100, writer="a")
    sink.wait_unique(100)
    size = (tmp_path / "a.log").stat().st_size
    wait_for(lambda: copied(agent, sink, tmp_path).get("a.log", {}).get("offset") == size, 30,
             "a copy")
    one.kill()
    reboot(tmp_path)
    loggen(tmp_path / "a.log", 50, writer="a", start_seq=101)
    one.run_once()
    assert one.ledger["read"]["lines"] == 50
    sink.assert_exactly({"a": 150})


def test_power_loss_before_any_copy(agent, sink, tmp_path):
    """All is read again under new ids, and nothing is missing."""
    one = agent(config(sink, tmp_path)).start()
    loggen(tmp_path / "a.log", 100, writer="a")
    sink.wait_unique(100)
    one.kill()
    reboot(tmp_path)
    loggen(tmp_path / "a.log", 50, writer="a", start_seq=101)
    one.run_once()
    assert one.ledger["read"]["lines"] == 150
    stats = sink.stats()
    assert sink.missing("a", 150)["missing"] == 0
    assert stats["altered"] == 0 and stats["repeated_lines"] == 100


def test_killed_before_memory_holds_everything(agent, sink, tmp_path):
    """A registry in memory that has only been begun does not count."""
    one = agent(config(sink, tmp_path))
    loggen(tmp_path / "a.log", 100, writer="a")
    one.run_once()
    (tmp_path / "memory" / "registry").mkdir(exist_ok=True)
    for name in ("log.0", "log.1", "checkpoint.0", "checkpoint.1"):
        (tmp_path / "memory" / "registry" / name).write_bytes(b"\0" * 262144)
    one.run_once()
    assert one.ledger["read"]["lines"] == 0
    sink.assert_exactly({"a": 100})


def test_memory_is_not_shared(agent, sink, tmp_path):
    one = agent(config(sink, tmp_path)).start()
    other = agent(config(sink, tmp_path, path__data=str(tmp_path / "other")))
    run = other.run_once(allowed=[FAILED])
    run.ledger_due = False
    assert "path.volatile" in run.stderr and "pid %d" % one.pid in run.stderr


def test_path_data_that_cannot_be_written(agent, sink, tmp_path):
    """Shipping goes on; health says that the copy fails; what is in memory stays there."""
    one = agent(config(sink, tmp_path, state_save_interval="1s"),
                env=dict(faulty(tmp_path), FAULTDISK_DIR="/data/registry")).start()
    (tmp_path / "new").write_text("write 5\n")
    (tmp_path / "new").rename(tmp_path / "rules")
    loggen(tmp_path / "a.log", 100, writer="a")
    sink.wait_unique(100)
    one.wait_log("health: state degraded: .*path.data: Input/output error", 20)
    assert one.stop() == OK
    assert files(tmp_path / "memory") != {}
    (tmp_path / "rules").unlink()
    one.start()
    loggen(tmp_path / "a.log", 100, writer="a", start_seq=101)
    sink.wait_unique(200)
    assert one.stop() == OK
    assert one.ledger["read"]["lines"] == 100 and files(tmp_path / "memory") == {}
    sink.assert_exactly({"a": 200})
