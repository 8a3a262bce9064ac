"""Files that come, grow, move, shrink and are no files at all."""

import os
import resource
import shutil
import signal
import socket
import stat
import threading

import fault_server as fs
import pytest
import seqline
from tools import Loggen, loggen
from waiting import TIME_SCALE, wait_for
from wherry import FAST_RETRY, OK, base_config


def append(path, text):
    with open(path, "a", newline="") as f:
        f.write(text)


def ids_of(server, prefix):
    """{generation: number} of the documents whose message begins so."""
    found = {}
    for (_, id_), document in server.docs.items():
        if document["message"].startswith(prefix):
            found[id_[:12]] = found.get(id_[:12], 0) + 1
    return found


# ---- growing


def test_grows(agent, server, tmp_path):
    log = tmp_path / "a.log"
    one = agent(base_config(server.url, [tmp_path / "*.log"])).start()
    for n in range(1, 6):
        append(log, "line %d\n" % n)
        server.wait_docs(n)
    assert [d["log"]["offset"] for d in server.documents()] == [0, 7, 14, 21, 28]
    assert len(ids_of(server, "line")) == 1
    assert one.stop() == OK


def test_unfinished_line_waits_for_its_end(agent, server, tmp_path):
    (tmp_path / "a.log").write_text("whole\nhal")
    agent(base_config(server.url, [tmp_path / "*.log"])).start()
    server.wait_docs(1)
    append(tmp_path / "b.log", "sentinel\n")
    server.wait_docs(2)
    append(tmp_path / "a.log", "f and half\n")
    server.wait_docs(3)
    assert sorted(server.messages()) == ["half and half", "sentinel", "whole"]


def test_unfinished_line_with_a_flush_timeout(agent, server, tmp_path):
    (tmp_path / "a.log").write_text("prompt> ")
    agent(base_config(server.url, [tmp_path / "*.log"], input__line_flush_timeout="200ms")).start()
    server.wait_docs(1)
    ((_, id_),) = server.docs
    assert server.messages() == ["prompt> "] and id_.endswith("0000000000000-8"), id_
    append(tmp_path / "a.log", "answer\nnext\n")
    server.wait_docs(3)
    assert sorted(server.messages()) == ["answer", "next", "prompt> "]


def test_new_directories(agent, server, tmp_path):
    """Filled before anyone can watch them."""
    agent(base_config(server.url, [tmp_path / "logs" / "**" / "*.log"])).start()
    for n in range(10):
        deep = tmp_path / "logs" / ("d%d" % n) / "deeper"
        deep.mkdir(parents=True)
        (deep / "x.log").write_text("in %d\n" % n)
    server.wait_docs(10)
    assert sorted(server.messages()) == ["in %d" % n for n in range(10)]


def test_many_files(agent, server, tmp_path):
    """More files than the soft limit of open files allows."""
    for n in range(1000):
        (tmp_path / ("f%d.log" % n)).write_text("file %d\n" % n)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        one = agent(base_config(server.url, [tmp_path / "*.log"])).start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    server.wait_docs(1000)
    for n in range(0, 1000, 100):
        append(tmp_path / ("f%d.log" % n), "more\n")
    server.wait_docs(1010)
    assert one.stop() == OK


def test_start_at_end(agent, server, tmp_path):
    (tmp_path / "old.log").write_text("old\n" * 10)
    one = agent(base_config(server.url, [tmp_path / "*.log"], input__start_at="end")).start()
    append(tmp_path / "old.log", "new\n")
    server.wait_docs(1)
    assert server.messages() == ["new"]
    assert one.stop() == OK
    assert one.ledger["skipped"]["reasons"]["start_at"]["bytes"] == 40


def test_overlapping_globs_and_hard_links_are_one_file(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 100)
    os.link(tmp_path / "a.log", tmp_path / "b.log")
    paths = [tmp_path / "*.log", tmp_path / "a.*", tmp_path / "a.log"]
    agent(base_config(server.url, paths)).run_once()
    assert len(server.docs) == 100


def test_excluded_files(agent, server, tmp_path):
    for name in ("a.log", "b.log", "b.log.gz"):
        (tmp_path / name).write_text("%s\n" % name)
    agent(base_config(server.url, [tmp_path / "*"],
                      input__exclude_files=[str(tmp_path / "*.gz"),
                                            str(tmp_path / "agent*")])).run_once()
    assert {"a.log", "b.log"} <= set(server.messages()) and "b.log.gz" not in server.messages()


# ---- no files


def test_what_is_no_file_is_skipped_with_one_warning(agent, server, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "good.log").write_text("good\n")
    os.mkfifo(logs / "fifo.log")
    (logs / "directory.log").mkdir()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.fspath(logs / "socket.log"))
    names = ["fifo", "directory", "socket"]
    try:
        os.mknod(logs / "device.log", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        names.append("device")
    except PermissionError:
        pass  # only root may make one
    one = agent(base_config(server.url, [logs / "*.log"])).start()
    server.wait_docs(1)
    for name in names:
        wait_for(lambda n=name: one.log_lines(r" warn .*%s\.log" % n), what="a warning for " + name)
    for n in range(2, 6):
        (logs / ("other%d.log" % n)).write_text("other\n")
        server.wait_docs(n)
    assert one.stop() == OK
    listener.close()
    for name in names:
        assert len(one.log_lines(r"%s\.log" % name)) == 1, one.stderr


def test_symbolic_links_are_not_followed(agent, server, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    (tmp_path / "secret").write_text("secret\n")
    os.symlink(tmp_path / "secret", logs / "link.log")
    (logs / "good.log").write_text("good\n")
    agent(base_config(server.url, [logs / "*.log"])).run_once()
    assert server.messages() == ["good"]


def test_unreadable_now_readable_later(agent, server, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    log = tmp_path / "a.log"
    log.write_text("line\n")
    log.chmod(0)
    one = agent(base_config(server.url, [tmp_path / "*.log"])).start()
    one.wait_log(r" warn .*a\.log.*Permission denied")
    log.chmod(0o644)
    server.wait_docs(1)


# ---- moving, shrinking, going


def test_rename_is_followed(agent, server, tmp_path):
    """Late writes to the renamed file still ship, though no glob matches it any more."""
    log = tmp_path / "a.log"
    append(log, "one\n")
    agent(base_config(server.url, [tmp_path / "*.log"])).start()
    server.wait_docs(1)
    with open(log, "a") as late:
        os.rename(log, tmp_path / "a.log.1")
        late.write("two\n")
        late.flush()
        server.wait_docs(2)
        append(log, "new one\n")
        server.wait_docs(3)
    assert len(ids_of(server, "one") | ids_of(server, "two")) == 1
    assert ids_of(server, "new").keys().isdisjoint(ids_of(server, "one"))


def test_rename_to_another_matching_name(agent, server, tmp_path):
    append(tmp_path / "a.log", "one\n")
    agent(base_config(server.url, [tmp_path / "*.log*"])).start()
    server.wait_docs(1)
    os.rename(tmp_path / "a.log", tmp_path / "a.log.1")
    append(tmp_path / "a.log.1", "two\n")
    append(tmp_path / "a.log", "three\n")
    server.wait_docs(3)
    assert sorted(server.messages()) == ["one", "three", "two"]


@pytest.mark.parametrize("again", [
    "short\n", "rewritten line 1\nrewritten line 2\n", "x" * 3000 + "\n",
], ids=["shorter", "same_size", "longer"])
def test_truncated_and_rewritten(agent, server, tmp_path, again):
    """New content is a new generation from 0, whatever its size."""
    log = tmp_path / "a.log"
    first = "original line 11\noriginal line 22\n"
    assert len(first) == len("rewritten line 1\nrewritten line 2\n")
    log.write_text(first)
    one = agent(base_config(server.url, [tmp_path / "*.log"])).start()
    server.wait_docs(2)
    with open(log, "r+") as f:
        f.truncate(0)
        f.write(again)
    expected = again.splitlines()
    server.wait_docs(2 + len(expected))
    found = [(id_, d) for (_, id_), d in server.docs.items() if d["message"] in expected]
    assert [d["message"] for _, d in sorted(found, key=lambda f: f[1]["log"]["offset"])] == expected
    assert min(d["log"]["offset"] for _, d in found) == 0
    assert {id_[:12] for id_, _ in found}.isdisjoint(ids_of(server, "original"))
    assert one.stop() == OK


def test_rewritten_while_stopped(agent, server, tmp_path):
    log = tmp_path / "a.log"
    log.write_text("".join("first life %d\n" % n for n in range(100)))
    one = agent(base_config(server.url, [tmp_path / "*.log"]))
    one.run_once()
    with open(log, "r+") as f:
        f.truncate(0)
        f.write("".join("second life %d\n" % n for n in range(100)))
    one.run_once()
    assert len(server.docs) == 200
    assert ids_of(server, "first").keys().isdisjoint(ids_of(server, "second"))


def test_replaced_while_stopped(agent, server, tmp_path):
    """Another file under the same name: read from its start."""
    log = tmp_path / "a.log"
    log.write_text("".join("first life %d\n" % n for n in range(100)))
    one = agent(base_config(server.url, [tmp_path / "*.log"]))
    one.run_once()
    (tmp_path / "new").write_text("".join("second life %d\n" % n for n in range(100)))
    os.rename(tmp_path / "new", log)
    one.run_once()
    assert len(server.docs) == 200


def test_deleted_file_is_read_to_its_end(agent, server, tmp_path):
    gate = threading.Event()
    lines = 40000
    loggen(tmp_path / "a.log", lines, burst=1000)
    for _ in range(8):
        server.script(fs.hold(gate))
    one = agent(base_config(server.url, [tmp_path / "*.log"])).start()
    server.wait_bulks(1)
    os.unlink(tmp_path / "a.log")
    gate.set()
    server.wait_docs(lines)
    assert one.stop() == OK
    assert one.ledger["abandoned"]["bytes"] == 0


def test_deleted_file_is_closed_after_a_while(agent, server, tmp_path):
    """What is sent needs no disk space any more; late writes are read until then."""
    log = tmp_path / "a.log"

    def is_open(pid):
        links = []
        for fd in os.listdir("/proc/%d/fd" % pid):
            try:
                links.append(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
            except OSError:
                pass  # closed meanwhile
        return any(link.startswith(os.fspath(log)) for link in links)

    with open(log, "w") as writer:
        writer.write("early\n")
        writer.flush()
        one = agent(base_config(server.url, [log])).start()
        server.wait_docs(1)
        os.unlink(log)
        writer.write("late\n")
    server.wait_docs(2)
    assert is_open(one.pid)
    wait_for(lambda: not is_open(one.pid), 60, "the end of a file that nobody has")
    assert server.messages() == ["early", "late"]
    assert one.stop() == OK
    assert one.ledger["abandoned"]["bytes"] == 0


def test_deleted_and_made_again(agent, server, tmp_path):
    log = tmp_path / "a.log"
    agent(base_config(server.url, [tmp_path / "*.log"])).start()
    for n in range(1, 6):
        log.write_text("life %d\n" % n)
        server.wait_docs(n)
        os.unlink(log)
    assert len(ids_of(server, "life")) == 5


@pytest.mark.parametrize("rotation", ["rename", "delete"])
def test_rotation_under_load(agent, sink, tmp_path, rotation):
    """Only the live name matches; what was renamed or deleted is read to its end all the same."""
    config = base_config(sink.url, [tmp_path / "w*.log"])
    one = agent(config).start()
    options = {"rotate": rotation, "rotate_every": 2500, "rate": 5000, "burst": 5}
    writers = [Loggen(tmp_path / (w + ".log"), 20000, writer=w, **options) for w in ("w1", "w2")]
    for writer in writers:
        writer.wait()
    sink.wait_unique(40000)
    sink.assert_exactly({"w1": 20000, "w2": 20000})
    assert sink.stats()["repeated_ids"] == 0
    assert one.stop() == OK


def test_rotation_during_an_outage(agent, sink, tmp_path):
    """Generations born while nothing can be sent are not missed."""
    sink.faults(status=503, status_for=1000000)
    one = agent(base_config(sink.url, [tmp_path / "a.log"], **FAST_RETRY)).start()
    loggen(tmp_path / "a.log", 30000, rotate_every=3000, rate=10000, burst=10)
    sink.faults(status_for=0)
    sink.wait_unique(30000)
    sink.assert_exactly({"w1": 30000})
    assert one.stop() == OK


# ---- stopping and starting


def test_restart_sends_nothing_again(agent, server, tmp_path):
    log = tmp_path / "a.log"
    loggen(log, 1000)
    one = agent(base_config(server.url, [tmp_path / "*.log"])).start()
    server.wait_docs(1000)
    assert one.stop() == OK
    seen = len(server.requests)
    loggen(log, 500, start_seq=1001)
    one.start()
    server.wait_docs(1500)
    assert one.stop() == OK
    later = [m for r in server.requests[seen:] if r.is_bulk for m in r.messages]
    assert [seqline.parse(m)[1] for m in later] == list(range(1001, 1501))
    assert len(ids_of(server, "w1")) == 1, "the generation goes on"
    assert [run.ledger["read"]["lines"] for run in one.runs] == [1000, 500]


def test_renamed_while_stopped(agent, server, tmp_path):
    """The renamed file (a glob matches it) is gone on with, the new one read from its start."""
    loggen(tmp_path / "a.log", 100)
    one = agent(base_config(server.url, [tmp_path / "a.log*"]))
    one.run_once()
    loggen(tmp_path / "a.log", 50, start_seq=101)
    os.rename(tmp_path / "a.log", tmp_path / "a.log.1")
    loggen(tmp_path / "a.log", 50, start_seq=151)
    one.run_once()
    assert len(server.docs) == 200 and server.duplicates == 0
    assert sorted(ids_of(server, "w1").values()) == [50, 150]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL])
def test_stopped_again_and_again_under_load(agent, sink, tmp_path, stop):
    """Nothing missing, nothing twice: what was sent and not recorded comes back as 409."""
    total = 60000
    one = agent(base_config(sink.url, [tmp_path / "a.log*"], shutdown_timeout="1s",
                            **FAST_RETRY)).start()
    writer = Loggen(tmp_path / "a.log", total, rate=int(10000 / TIME_SCALE), burst=10,
                    rotate_every=7000)
    try:
        for _ in range(5):
            seen = sink.stats()["unique"]
            wait_for(lambda s=seen: sink.stats()["unique"] >= s + 5000, what="it goes on")
            if stop == signal.SIGKILL:
                one.kill()
            else:
                assert one.stop(stop) == OK
            one.start()
        writer.wait()
    finally:
        writer.kill()
    sink.wait_unique(total)
    sink.assert_exactly({"w1": total})
    assert one.stop() == OK


def test_lost_registry_reads_again(agent, server, tmp_path):
    """Without its registry it starts anew, under new generations: repeats, no loss."""
    loggen(tmp_path / "a.log", 100)
    one = agent(base_config(server.url, [tmp_path / "*.log"]))
    one.run_once()
    shutil.rmtree(tmp_path / "data" / "registry")
    one.run_once()
    assert len(server.docs) == 200 and len(set(server.messages())) == 100


def test_damaged_registry_is_no_reason_to_refuse(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 100)
    one = agent(base_config(server.url, [tmp_path / "*.log"]))
    one.run_once()
    for path in (tmp_path / "data" / "registry").iterdir():
        size = path.stat().st_size
        with open(path, "r+b") as f:
            f.seek(min(size // 2, 100))
            f.write(b"\xde\xad\xbe\xef" * 8)
    run = one.run_once()
    assert len(set(server.messages())) == 100
    assert [line for line in run.stderr.splitlines() if " warn " in line or " error " in line]
