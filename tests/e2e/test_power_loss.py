"""The host goes down: what was written, and even acknowledged, may be gone from the log file. The
boot id is read below HOST_PROC, so that a test can give another one."""

import os
import uuid

import pytest
from wherry import OK, base_config


class Host:
    """What the agent sees of /proc: the boot id."""

    def __init__(self, directory):
        self._file = directory / "proc" / "sys" / "kernel" / "random" / "boot_id"
        self._file.parent.mkdir(parents=True)
        self.env = {"HOST_PROC": os.fspath(directory / "proc")}
        self.boot()

    def boot(self):
        self._file.write_text("%s\n" % uuid.uuid4())


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def numbered(first, last, text="before"):
    return "".join("%s the power loss, line %06d\n" % (text, n) for n in range(first, last))


def crash(one, host, server, log):
    """Kills it when it is known that it ran: before it sends anything that is in its registry."""
    seen = len(server.docs)
    log.with_name("marker.log").write_text("marker\n")
    server.wait_docs(seen + 1)
    one.kill()
    host.boot()


def lines_of(server, name="a.log"):
    return [d["message"] for d in server.documents() if d["log"]["file"]["path"].endswith(name)]


def test_what_grew_again_after_a_power_loss_is_not_taken_for_what_was_lost(
        agent, server, tmp_path, host):
    log = tmp_path / "a.log"
    log.write_text(numbered(0, 1000))
    one = agent(base_config(server.url, [tmp_path / "*.log"]), env=host.env)
    assert one.start().stop() == OK  # its offset is durable; now it runs again and crashes
    one.start()
    with open(log, "a") as f:
        f.write(numbered(1000, 1100))
    server.wait_docs(1100)
    crash(one, host, server, log)
    size = len(numbered(0, 990))
    with open(log, "r+") as f:
        f.truncate(size)
        f.seek(size)
        f.write(numbered(990, 1300, "after_"))
    again = one.run_once()
    messages = lines_of(server)
    for n in range(990, 1300):
        assert "after_ the power loss, line %06d" % n in messages
    assert set(messages) == set((numbered(0, 1100) + numbered(990, 1300, "after_")).splitlines())
    repeats = len(messages) - len(set(messages))
    counted = again.ledger["documents"]["maybe_repeated"]
    assert repeats <= counted <= 1301
    new = {id_[:12] for (_, id_), d in server.docs.items() if d["message"].startswith("after")}
    old = {id_[:12] for (_, id_), d in server.docs.items() if "line 000000" in d["message"]}
    assert len(new) == 1 and (repeats > 0 or new.isdisjoint(old))
    one.run_once()
    assert len(lines_of(server)) == len(messages)


def test_nothing_lost_by_the_power_loss_is_nothing_read_twice(agent, server, tmp_path, host):
    log = tmp_path / "a.log"
    log.write_text(numbered(0, 100))
    one = agent(base_config(server.url, [tmp_path / "*.log"]), env=host.env)
    one.run_once()
    one.start()
    crash(one, host, server, log)
    with open(log, "a") as f:
        f.write(numbered(100, 150))
    again = one.run_once()
    assert sorted(lines_of(server)) == numbered(0, 150).splitlines()
    generations = {}
    for (_, id_), d in server.docs.items():
        if d["message"] == "marker":
            continue
        generations.setdefault(id_[:12], []).append(d["log"]["offset"])
    assert sorted(len(v) for v in generations.values()) == [50, 100]
    assert again.ledger["documents"]["maybe_repeated"] in (50, 51)  # perhaps the marker, too


def test_zeros_that_a_power_loss_left_are_passed_over_and_counted(agent, server, tmp_path, host):
    log = tmp_path / "a.log"
    log.write_text(numbered(0, 100))
    one = agent(base_config(server.url, [tmp_path / "*.log"]), env=host.env)
    one.run_once()
    one.start()
    crash(one, host, server, log)
    with open(log, "ab") as f:
        f.write(b"cut off" + b"\0" * 5000 + b"first of the new boot\n")
    again = one.run_once()
    assert lines_of(server)[100:] == ["cut off", "first of the new boot"]
    assert again.ledger["skipped"]["reasons"]["nul"]["bytes"] == 5000


def test_a_clean_stop_before_the_boot_changes_nothing(agent, server, tmp_path, host):
    log = tmp_path / "a.log"
    log.write_text(numbered(0, 100))
    one = agent(base_config(server.url, [tmp_path / "*.log"]), env=host.env)
    assert one.start().stop() == OK
    host.boot()
    with open(log, "a") as f:
        f.write(numbered(100, 150))
    again = one.run_once()
    assert len(server.docs) == 150
    assert len({id_[:12] for _, id_ in server.docs}) == 1
    assert again.ledger["documents"]["maybe_repeated"] == 0
