"""run --once: what it waits for, its exit status, its ledger, its signals."""

import re
import signal
import socket
import threading
import time

import fault_server as fs
import pytest
from tools import loggen
from waiting import wait_for
from wherry import FAILED, FAST_RETRY, NOT_ALL, OK, base_config


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_all_acknowledged_is_0(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 1000)
    run = agent(base_config(server.url, [tmp_path / "*.log"])).run_once()
    assert len(server.docs) == 1000
    assert run.ledger["read"] == run.ledger["acknowledged"] == {"bytes": 120000, "lines": 1000}
    assert run.ledger["documents"]["created"] == 1000
    assert run.ledger["in_flight"] == {"bytes": 0, "lines": 0}


def test_nothing_to_read_is_0(agent, server, tmp_path):
    run = agent(base_config(server.url, [tmp_path / "*.log"])).run_once()
    assert run.ledger["read"]["lines"] == 0 and not server.docs


def test_last_line_without_end(agent, server, tmp_path):
    (tmp_path / "a.log").write_text("one\ntwo")
    run = agent(base_config(server.url, [tmp_path / "*.log"])).run_once()
    assert sorted(server.messages()) == ["one", "two"]
    assert run.ledger["acknowledged"] == {"bytes": 7, "lines": 2}


def test_size_is_fixed_at_the_first_open(agent, server, tmp_path):
    """A file that grows while it is read does not keep the run going; the next run goes on."""
    log = tmp_path / "a.log"
    log.write_text("1\n2\n")

    def grow(n, action):
        with open(log, "a") as f:
            f.write("more\n")
    server.script(fs.bulk_reply(grow))
    one = agent(base_config(server.url, [log]))
    one.run_once()
    assert sorted(server.messages()) == ["1", "2"]
    one.run_once()
    assert sorted(server.messages()) == ["1", "2", "more", "more"]
    assert server.duplicates == 0


def test_rejected_is_3(agent, server, tmp_path):
    """A document that the server refuses goes to the dead letter, with its reason; the rest goes
    its way, and a second run does not try it again."""
    lines = loggen(tmp_path / "a.log", 100)["lines"]
    server.always(fs.reject_messages(r"^w1 000000000042 "))
    one = agent(base_config(server.url, [tmp_path / "*.log"]))
    run = one.run_once(allowed=[NOT_ALL])
    assert len(server.docs) == lines - 1
    assert run.ledger["dead_lettered"] == {"bytes": 120, "lines": 1}
    assert run.ledger["acknowledged"]["lines"] == 99
    assert run.ledger["documents"]["dead_lettered"] == 1
    box = b"".join(p.read_bytes() for p in (tmp_path / "data" / "deadletter").iterdir()
                   if p.is_file())
    assert b"w1 000000000042 " in box and b"document_parsing_exception" in box
    sent = len(server.requests)
    again = one.run_once()
    assert again.ledger["read"]["lines"] == 0
    assert not [r for r in server.requests[sent:] if r.is_bulk]


def test_no_server_within_the_timeout_is_1(agent, tmp_path):
    loggen(tmp_path / "a.log", 10)
    one = agent(base_config("http://127.0.0.1:%d" % free_port(), [tmp_path / "*.log"]))
    run = one.run_once("--timeout", "1s", allowed=[FAILED])
    assert run.ledger["acknowledged"]["lines"] == 0


def test_unusable_data_directory_is_1(agent, server, tmp_path):
    (tmp_path / "data").write_text("a file, not a directory")
    one = agent(base_config(server.url, [tmp_path / "*.log"]))
    code, _, err = one.command("run", "--once")
    assert code == FAILED and "data" in err


def test_waits_for_the_server(agent, tmp_path):
    loggen(tmp_path / "a.log", 10)
    later = fs.FaultServer(port=free_port())
    one = agent(base_config(later.url, [tmp_path / "*.log"], **FAST_RETRY))
    run = one._spawn(["run", "--once", "-c", one.config])
    wait_for(lambda: re.search(r"(?m)^\S+ (warn|error) ", run.stderr), what="it says so")
    with later:
        one._wait(run, 60)
        assert run.code == OK and len(later.docs) == 10


def test_second_instance_is_refused(agent, server, tmp_path):
    (tmp_path / "other").mkdir()
    config = base_config(server.url, [tmp_path / "*.log"])
    config["path.data"] = str(tmp_path / "data")
    one = agent(config).start()
    code, _, err = agent(config, directory=tmp_path / "other").command("run")
    assert code == FAILED
    assert str(tmp_path / "data") in err and re.search("(?i)another|already|in use|lock", err), err
    assert one.running
    assert one.stop() == OK


def test_stale_lock_is_no_matter(agent, server, tmp_path):
    config = base_config(server.url, [tmp_path / "*.log"])
    one = agent(config).start()
    one.kill()
    one.start()
    assert one.stop() == OK


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_with_0(agent, server, tmp_path, number):
    loggen(tmp_path / "a.log", 100)
    one = agent(base_config(server.url, [tmp_path / "*.log"])).start()
    server.wait_docs(100)
    assert one.stop(number) == OK
    assert one.ledger["acknowledged"]["lines"] == 100
    assert one.ledger["in_flight"]["lines"] == 0


def test_signal_with_batches_in_flight(agent, server, tmp_path):
    """It waits no longer than shutdown_timeout; what was in flight is sent by the next start."""
    loggen(tmp_path / "a.log", 100)
    server.script(fs.black_hole())
    one = agent(base_config(server.url, [tmp_path / "*.log"], shutdown_timeout="500ms")).start()
    server.wait_bulks(1)
    start = time.monotonic()
    assert one.stop() == OK
    assert time.monotonic() - start < 10
    assert one.ledger["in_flight"]["lines"] == 100
    one.start()
    server.wait_docs(100)
    assert server.duplicates == 0


def test_answer_that_comes_during_shutdown_counts(agent, server, tmp_path):
    gate = threading.Event()
    loggen(tmp_path / "a.log", 100)
    server.script(fs.hold(gate))
    one = agent(base_config(server.url, [tmp_path / "*.log"], shutdown_timeout="30s")).start()
    server.wait_bulks(1)
    one.send_signal(signal.SIGTERM)
    gate.set()
    one._wait(one.last, 20)
    assert one.last.code == OK
    assert one.ledger["acknowledged"]["lines"] == 100


def test_second_signal_ends_it_at_once(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 10)
    server.script(fs.black_hole())
    one = agent(base_config(server.url, [tmp_path / "*.log"], shutdown_timeout="10m")).start()
    server.wait_bulks(1)

    def ended():
        one.send_signal(signal.SIGTERM)
        return not one.running
    wait_for(ended, 10, "an end soon after the second signal", interval=0.2)
    one.last.killed = True  # how it ends then, and that without a ledger, is its own affair
