"""Logs of containers: CRI and docker's json-file, records in several lines, over rotation, restart."""

import json
import os
import signal

import fault_server as fs
import pytest
from test_lines import append, wait_read
from waiting import wait_for
from wherry import FAST_RETRY, OK, base_config

T = "2026-11-23T01:02:%02d.%09dZ"
PIECE = 16 * 1024


def cri(text, tag="F", stream="stdout", n=0):
    return ("%s %s %s %s\n" % (T % (n % 60, n), stream, tag, text)).encode()


def docker(text, end="\n", stream="stdout", n=0):
    entry = {"log": text + end, "stream": stream, "time": T % (n % 60, n)}
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


class Cri:
    name = "cri"

    @staticmethod
    def whole(text, stream="stdout", n=0):
        return cri(text, "F", stream, n)

    @staticmethod
    def part(text, stream="stdout", n=0):
        return cri(text, "P", stream, n)


class Docker:
    name = "docker"

    @staticmethod
    def whole(text, stream="stdout", n=0):
        return docker(text, "\n", stream, n)

    @staticmethod
    def part(text, stream="stdout", n=0):
        return docker(text, "", stream, n)


both = pytest.mark.parametrize("f", [Cri, Docker], ids=lambda f: f.name)


def docs(server):
    """[(offset, stream, message, flags)] without the sentinels, by path and offset."""
    found = [d for d in server.documents() if not d["message"].startswith("sentinel")]
    found.sort(key=lambda d: (d["log"]["file"]["path"], d["log"]["offset"]))
    return [(d["log"]["offset"], d.get("stream"), d["message"], d["log"].get("flags"))
            for d in found]


def ids(server):
    """{message: id}; each once."""
    pairs = [(d["message"], id_) for (_, id_), d in server.docs.items()]
    assert len(dict(pairs)) == len(pairs), "a message occurs twice: %r" % pairs
    return dict(pairs)


def saved(one):
    """{path: saved offset}, of a stopped agent."""
    code, out, err = one.command("registry", "list", "--json")
    assert code == OK, err
    entries = [json.loads(line) for line in out.splitlines()]
    return {e["path"]: e["offset"] for e in entries}


# ---- one line, one record


@both
def test_lines_become_documents(agent, server, tmp_path, f):
    log = tmp_path / "0.log"
    data = [f.whole("first", n=1), f.whole("", n=2), f.whole("second \"x\" \u20ac", "stderr", n=3),
            f.whole("crlf\r", n=4)]
    log.write_bytes(b"".join(data))
    run = agent(base_config(server.url, [log], input__format=f.name)).run_once()
    offsets = [sum(map(len, data[:n])) for n in range(4)]
    assert docs(server) == [(offsets[0], "stdout", "first", None),
                            (offsets[2], "stderr", "second \"x\" \u20ac", None),
                            (offsets[3], "stdout", "crlf", None)]
    assert sorted(d["@timestamp"] for d in server.documents()) == [
        T % (n, n) for n in (1, 3, 4)]
    assert run.ledger["read"] == {"bytes": log.stat().st_size, "lines": 4}
    assert run.ledger["skipped"]["reasons"] == {"empty": {"bytes": len(data[1]), "lines": 1}}


@pytest.mark.parametrize("line", [
    b"no format at all", b"2026-11-23T01:02:03Z stdout X text", b"2026-02-30T01:02:03Z stdout F x",
    b'{"log":"cut by a cra', b'{"log":"x\\n","stream":"stdin","time":"2026-11-23T01:02:03Z"}',
    b"\x00\x01\xff", b'{"log":' + b"[" * 10000,
])
@both
def test_line_of_another_format_is_sent_as_it_is(agent, server, tmp_path, f, line):
    """With the reason; the lines around it are as ever."""
    log = tmp_path / "0.log"
    log.write_bytes(f.whole("before") + line + b"\r\n" + f.whole("after"))
    run = agent(base_config(server.url, [log], input__format=f.name)).run_once()
    assert [d[2] for d in docs(server)] == ["before", line.decode("utf-8", "replace"), "after"]
    (odd,) = [d for d in server.documents() if "error" in d]
    assert f.name in odd["error"]["message"].lower() and "stream" not in odd
    assert run.ledger["documents"]["undecoded"] == 1


def test_docker_line_cut_by_a_crash(agent, server, tmp_path):
    """What the daemon writes after its restart follows in the same line or in the next."""
    log = tmp_path / "c-json.log"
    cut = docker("lost its end")[:30]
    log.write_bytes(docker("one") + cut + b"\n" + docker("two") + cut + docker("three")
                    + docker("four"))
    agent(base_config(server.url, [log], input__format="docker")).run_once()
    assert [d[2] for d in docs(server)] == [
        "one", cut.decode(), "two", cut.decode() + docker("three").decode().rstrip(), "four"]


@pytest.mark.parametrize("first, decoded", [
    (cri("x"), True), (cri("x" * 5000), True), (docker("x"), True), (docker("x" * 5000), True),
    (b"\xef\xbb\xbf" + cri("x"), True),
    (b"plain\n", False), (b"2026-11-23T01:02:03Z plain\n", False), (b'{"log":"mine"}\n', False),
    (b'{"log":{"level":"info"}}\n', False), (b"\n" + cri("x"), False), (b"1\n", False),
    (b'{"log":"' + b"x" * 3000 + b'"}\n', False), (b"{\n", False),
])
def test_first_line_decides_the_format(agent, server, tmp_path, first, decoded):
    """Once: what comes later does not change it."""
    log = tmp_path / "0.log"
    log.write_bytes(first)
    one = agent(base_config(server.url, [log]))
    one.run_once()
    append(log, cri("later") + docker("later"))
    one.run_once()
    found = docs(server)
    if decoded:
        assert found[0][1:3] in [("stdout", "x"), ("stdout", "x" * 5000)]
        assert [d["stream"] for d in server.documents() if d["message"] == "later"] == ["stdout"]
    else:
        assert all(stream is None for _, stream, _, _ in found)
        assert found[-1][2] == docker("later").decode().rstrip()
        assert not [d for d in server.documents() if "error" in d]


def test_first_line_that_grows(agent, server, tmp_path):
    """Nothing is decided before it is whole."""
    for name, line in (("a.log", cri("x")), ("b.log", docker("y")), ("c.log", b'{"log":"z"}\n')):
        append(tmp_path / name, line[:1])
    one = agent(base_config(server.url, [tmp_path / "*.log"])).start()
    wait_read(server, tmp_path)
    for cut in ((1, 9), (9, -1), (-1, None)):
        for name, line in (("a.log", cri("x")), ("b.log", docker("y")),
                           ("c.log", b'{"log":"z"}\n')):
            append(tmp_path / name, line[slice(*cut)])
        wait_read(server, tmp_path)
    wait_for(lambda: len(docs(server)) == 3, what="three lines")
    assert [d[1:3] for d in docs(server)] == [
        ("stdout", "x"), ("stdout", "y"), (None, '{"log":"z"}')]
    assert one.stop() == OK


def test_format_raw_leaves_lines_alone(agent, server, tmp_path):
    log = tmp_path / "0.log"
    log.write_bytes(cri("x") + docker("x"))
    agent(base_config(server.url, [log], input__format="raw")).run_once()
    assert [d[2].encode() + b"\n" for d in docs(server)] == [cri("x"), docker("x")]


# ---- records in several lines


@both
def test_parts_are_joined(agent, server, tmp_path, f):
    """The record has the time, the offset and the id of its first part."""
    log = tmp_path / "0.log"
    texts = ["%d" % n * PIECE for n in range(5)] + ["end"]
    data = b"".join(f.part(t, n=n) for n, t in enumerate(texts[:-1])) + f.whole(texts[-1], n=9)
    log.write_bytes(f.whole("before") + data + f.whole("after"))
    run = agent(base_config(server.url, [log], input__format=f.name)).run_once()
    start = len(f.whole("before"))
    assert docs(server) == [(0, "stdout", "before", None), (start, "stdout", "".join(texts), None),
                            (start + len(data), "stdout", "after", None)]
    (joined,) = [d for d in server.documents() if len(d["message"]) > 10]
    assert joined["@timestamp"] == T % (0, 0)
    assert run.ledger["read"] == {"bytes": log.stat().st_size, "lines": 8}
    assert run.ledger["documents"]["partial"] == 0


@both
def test_streams_are_joined_apart(agent, server, tmp_path, f):
    log = tmp_path / "0.log"
    log.write_bytes(f.part("out 1 ") + f.part("err 1 ", "stderr") + f.part("out 2 ")
                    + f.whole("err 2", "stderr") + f.whole("err 3", "stderr") + f.whole("out 3")
                    + f.part("gr\u00fc\r") + f.whole("\u00dfe\r"))
    run = agent(base_config(server.url, [log], input__format=f.name)).run_once()
    assert [d[1:] for d in docs(server)] == [
        ("stdout", "out 1 out 2 out 3", None), ("stderr", "err 1 err 2", None),
        ("stderr", "err 3", None), ("stdout", "gr\u00fc\r\u00dfe", None)]
    assert run.ledger["acknowledged"] == {"bytes": log.stat().st_size, "lines": 8}


@both
def test_record_over_its_limit_goes_in_pieces(agent, server, tmp_path, f):
    log = tmp_path / "0.log"
    log.write_bytes(b"".join(f.part("%d" % n * 400) for n in range(5)) + f.whole("end")
                    + f.part("x" * 1500) + f.whole("y") + f.whole("after"))
    run = agent(base_config(server.url, [log], input__format=f.name,
                            input__partial={"max_bytes": "1KiB"})).run_once()
    assert [(len(m), flags) for _, _, m, flags in docs(server)] == [
        (800, ["partial"]), (800, ["partial"]), (403, None), (1500, ["partial"]), (1, None),
        (5, None)]
    assert run.ledger["documents"]["partial"] == 3
    assert run.ledger["acknowledged"]["bytes"] == log.stat().st_size


@both
def test_record_without_an_end_is_sent_after_a_time(agent, server, tmp_path, f):
    """And what comes later is a record of its own."""
    log = tmp_path / "0.log"
    append(log, f.part("no ") + f.part("end") + f.whole("other", "stderr"))
    one = agent(base_config(server.url, [tmp_path / "*.log"], input__format=f.name,
                            input__partial={"timeout": "200ms"})).start()
    wait_for(lambda: len(docs(server)) == 2, what="the record")
    assert docs(server)[0] == (0, "stdout", "no end", ["partial"])
    parts = len(f.part("no ") + f.part("end"))
    assert any(id_.endswith("-%d" % parts) for _, id_ in server.docs), server.docs
    append(log, f.whole("late"))
    wait_for(lambda: len(docs(server)) == 3, what="the next")
    assert docs(server)[2][2:] == ("late", None)
    assert one.stop() == OK
    assert one.ledger["documents"]["partial"] == 1
    assert saved(one)[str(log)] == log.stat().st_size


@both
def test_once_ends_open_records(agent, server, tmp_path, f):
    log = tmp_path / "0.log"
    log.write_bytes(f.part("open ") + f.part("end", "stderr"))
    run = agent(base_config(server.url, [log], input__format=f.name)).run_once()
    assert docs(server) == [(0, "stdout", "open ", ["partial"]),
                            (len(f.part("open ")), "stderr", "end", ["partial"])]
    assert run.ledger["read"] == {"bytes": log.stat().st_size, "lines": 2}


# ---- offsets


@both
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL])
def test_restart_within_a_record(agent, server, tmp_path, f, stop):
    """The offset waits at its first byte; what was sent in between is not sent again."""
    log = tmp_path / "0.log"
    append(log, f.whole("before") + f.part("a "))
    for n in range(50):
        append(log, f.whole("err %d" % n, "stderr") + (f.part("%d " % n) if n % 10 == 0 else b""))
    one = agent(base_config(server.url, [tmp_path / "*.log"], input__format=f.name)).start()
    server.wait_docs(51)
    if stop == signal.SIGKILL:
        one.kill()
    else:
        assert one.stop() == OK
        assert saved(one)[str(log)] == len(f.whole("before"))
    seen = len(server.docs)
    append(log, f.part("b ", "stderr"))
    one.start()
    wait_read(server, tmp_path)
    if stop == signal.SIGTERM:
        assert len(docs(server)) == seen and server.duplicates == 0
    one.stop()
    append(log, f.whole("end") + f.whole("c", "stderr"))
    one.start()
    wait_for(lambda: len(docs(server)) == 53, what="both records")
    joined = "a " + "".join("%d " % n for n in range(0, 50, 10)) + "end"
    assert docs(server)[1] == (len(f.whole("before")), "stdout", joined, None)
    assert "b c" in [d[2] for d in docs(server)]
    assert len({id_[:12] for m, id_ in ids(server).items() if not m.startswith("sent")}) == 1
    if stop == signal.SIGTERM:
        assert server.duplicates == 0
    assert one.stop() == OK
    assert saved(one)[str(log)] == log.stat().st_size


@both
def test_record_over_a_rotation(agent, server, tmp_path, f):
    """It has the id of the generation in which it begins; both offsets wait for it."""
    log, old = tmp_path / "0.log", tmp_path / "0.log.1"
    one = agent(base_config(server.url, [log, tmp_path / "s*.log"], input__format=f.name)).start()
    append(log, f.whole("first") + f.part("a "))
    server.wait_docs(1)
    os.rename(log, old)
    append(log, f.part("b ") + f.whole("err", "stderr") + f.whole("c") + f.whole("last"))
    wait_for(lambda: len(docs(server)) == 4, what="all records")
    assert one.stop() == OK
    found = ids(server)
    assert set(found) >= {"first", "err", "a b c", "last"}
    assert found["a b c"][:12] == found["first"][:12] != found["last"][:12]
    assert found["a b c"][12:] == "%013x" % len(f.whole("first"))
    assert one.ledger["read"]["lines"] >= 6 and server.duplicates == 0
    one.start()
    wait_read(server, tmp_path)
    assert server.duplicates == 0 and one.stop() == OK
    assert saved(one)[str(log)] == log.stat().st_size


@both
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL])
def test_restart_within_a_record_over_a_rotation(agent, server, tmp_path, f, stop):
    """Stopped before the rotation, after it, and before the end: one document, the same id."""
    log, old = tmp_path / "0.log", tmp_path / "0.log.1"
    one = agent(base_config(server.url, [log, tmp_path / "s*.log"], input__format=f.name)).start()

    def again():
        if stop == signal.SIGKILL:
            one.kill()
        else:
            assert one.stop() == OK
        one.start()

    append(log, f.whole("first" * 20) + f.part("a "))
    server.wait_docs(1)
    again()
    os.rename(log, old)
    append(log, f.whole("err", "stderr") + f.part("b "))
    wait_for(lambda: len(docs(server)) == 2, what="the line of the other stream")
    again()
    wait_read(server, tmp_path)
    again()
    append(log, f.part("c ") + f.whole("d") + f.whole("last"))
    wait_for(lambda: "last" in [d[2] for d in docs(server)], what="the last line")
    again()
    wait_read(server, tmp_path)
    found = {m: i for m, i in ids(server).items() if not m.startswith("sentinel")}
    assert set(found) == {"first" * 20, "err", "a b c d", "last"}
    assert found["a b c d"][:12] == found["first" * 20][:12] != found["last"][:12]
    assert found["a b c d"][12:] == "%013x" % len(f.whole("first" * 20))
    if stop == signal.SIGTERM:
        assert server.duplicates == 0
    assert one.stop() == OK


@both
def test_record_over_a_rotation_while_stopped(agent, server, tmp_path, f):
    log, old = tmp_path / "0.log", tmp_path / "0.log.1"
    one = agent(base_config(server.url, [log], input__format=f.name)).start()
    append(log, f.whole("first" * 20) + f.part("a "))
    server.wait_docs(1)
    assert one.stop() == OK
    append(log, f.part("b ") + f.part("x ", "stderr"))
    os.rename(log, old)
    append(log, f.whole("c") + f.whole("y", "stderr") + f.whole("last"))
    one.start()
    wait_for(lambda: len(docs(server)) == 4, what="all records")
    found = ids(server)
    assert set(found) == {"first" * 20, "a b c", "x y", "last"}
    assert {found[m][:12] for m in ("a b c", "x y")} == {found["first" * 20][:12]}
    assert server.duplicates == 0 and one.stop() == OK


@both
def test_record_over_three_generations(agent, server, tmp_path, f):
    log = tmp_path / "0.log"
    one = agent(base_config(server.url, [log, tmp_path / "s*.log"], input__format=f.name)).start()
    append(log, f.whole("first") + f.part("a "))
    server.wait_docs(1)
    os.rename(log, tmp_path / "0.log.2")
    append(log, f.part("b "))
    wait_read(server, tmp_path)
    os.rename(log, tmp_path / "0.log.1")
    append(log, f.part("c ") + f.whole("d"))
    wait_for(lambda: len(docs(server)) == 2, what="the record")
    assert ids(server)["a b c d"][:12] == ids(server)["first"][:12]
    assert one.stop() == OK
    one.start()
    wait_read(server, tmp_path)
    assert server.duplicates == 0 and one.stop() == OK


@both
def test_record_over_a_copytruncate(agent, server, tmp_path, f):
    log = tmp_path / "0.log"
    one = agent(base_config(server.url, [log, tmp_path / "s*.log"], input__format=f.name)).start()
    append(log, f.whole("first" * 20) + f.part("a "))
    server.wait_docs(1)
    wait_read(server, tmp_path)
    (tmp_path / "0.log.1").write_bytes(log.read_bytes())
    os.truncate(log, 0)
    append(log, f.whole("b") + f.whole("last"))
    wait_for(lambda: len(docs(server)) == 3, what="the record")
    assert ids(server)["a b"][:12] == ids(server)["first" * 20][:12]
    assert server.duplicates == 0 and one.stop() == OK


@both
def test_offset_waits_for_the_acknowledgement_of_a_joined_record(agent, server, tmp_path, f):
    """The server refuses its end for a while; a kill in that time loses and repeats nothing."""
    log = tmp_path / "0.log"
    one = agent(base_config(server.url, [log], input__format=f.name, **FAST_RETRY)).start()
    append(log, f.whole("first") + f.part("a "))
    server.wait_docs(1)
    os.rename(log, tmp_path / "0.log.1")
    server.always(fs.reject_messages("^a b$", 429))
    append(log, f.whole("err", "stderr") + f.whole("b") + f.whole("last"))
    wait_for(lambda: len(docs(server)) == 3, what="all but the joined record")
    one.kill()
    server.always(fs.well_behaved())
    one.start()
    wait_for(lambda: len(docs(server)) == 4, what="the joined record")
    assert ids(server)["a b"][:12] == ids(server)["first"][:12]
    assert one.stop() == OK


def test_long_line_within_a_record(agent, server, tmp_path):
    """A part over max_bytes is cut and flagged; the record goes on, also after a restart."""
    log = tmp_path / "0.log"
    append(log, cri("a ", "P") + cri("x" * 500, "P") + cri("err", "F", "stderr"))
    one = agent(base_config(server.url, [tmp_path / "*.log"], input__format="cri",
                            input__max_bytes=200)).start()
    wait_for(lambda: len(docs(server)) == 1, what="the line of stderr")
    assert one.stop() == OK
    append(log, cri("end"))
    one.start()
    wait_for(lambda: len(docs(server)) == 2, what="the record")
    _, _, message, flags = docs(server)[0]
    prefix = len(cri("", "P")) - 1
    assert message == "a " + "x" * (200 - prefix) + "end" and flags == ["truncated"]
    assert server.duplicates == 0 and one.stop() == OK
