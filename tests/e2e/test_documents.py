"""The documents, to the letter, and what becomes of odd bytes."""

import json
import os
import random
import re
import socket

import pytest
from tools import ROOT, loggen
from waiting import SANITIZED
from wherry import base_config

HOST = socket.gethostname()
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
ID = re.compile(r"[A-Za-z0-9_-]{12}[0-9a-f]{13}")
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
with open(ROOT + "/include/base/version.h") as _f:
    VERSION = re.search(r'WHERRY_VERSION "(.*)"', _f.read()).group(1)

PARTS = {
    "dataset": '"data_stream":{"type":"logs","dataset":"generic","namespace":"default"},'
               '"event":{"dataset":"generic"}',
    "host": '"host":{"name":"%s"}' % HOST,
    "agent": '"agent":{"type":"wherry","version":"%s","id":"UUID","name":"%s"}' % (VERSION, HOST),
    "ecs": '"ecs":{"version":"8.11.0"}',
    "input": '"input":{"type":"filestream"}',
}


def expected(path, offset, message, parts):
    """Regular expression of one document line as SPEC wants it."""
    log = '"log":{"file":{"path":"%s"}%s}' % (
        path, ',"offset":%d' % offset if "offset" in parts else "")
    members = ['{"@timestamp":"TIME"', log, '"message":' + json.dumps(message)]
    members += [text for name, text in PARTS.items() if name in parts]
    text = re.escape(",".join(members) + "}")
    return text.replace("TIME", TIME).replace("UUID", UUID)


@pytest.mark.parametrize("parts", [
    None, [], ["dataset"], ["host"], ["agent"], ["ecs"], ["offset"], ["input"],
    ["dataset", "host", "agent", "ecs", "offset", "input"], ["input", "host"],
], ids=lambda p: "default" if p is None else "_".join(p) or "none")
def test_shape_to_the_letter(agent, server, tmp_path, parts):
    log = tmp_path / "a.log"
    log.write_text("first line\nsecond \"line\"\n")
    config = base_config(server.url, [log])
    if parts is not None:
        config["metadata"] = parts
    agent(config).run_once()
    (request,) = server.bulks
    lines = request.body.decode().splitlines()
    assert request.path == "/logs-generic-default/_bulk"
    generation = request.ids[0][:12]
    present = ["dataset", "host", "agent", "ecs", "offset", "input"] if parts is None else parts
    for n, (offset, message) in enumerate([(0, "first line"), (11, 'second "line"')]):
        id_ = "%s%013x" % (generation, offset)
        assert ID.fullmatch(id_)
        assert lines[2 * n] == '{"create":{"_id":"%s"}}' % id_
        assert re.fullmatch(expected(log, offset, message, present), lines[2 * n + 1]), (
            lines[2 * n + 1])


def test_two_targets(agent, server, tmp_path):
    """Each document goes to its own stream, in whatever way the requests are cut."""
    for name in ("a", "b"):
        loggen(tmp_path / (name + ".log"), 100, writer=name)
    config = base_config(server.url, [tmp_path / "a.log"], "one", namespace="prod")
    config["inputs"].append({"paths": [str(tmp_path / "b.log")], "dataset": "two"})
    agent(config).run_once()
    assert len(server.docs) == 200
    for (index, _), document in server.docs.items():
        dataset = "one" if document["message"].startswith("a ") else "two"
        assert index == "logs-%s-prod" % dataset
        assert document["data_stream"] == {"type": "logs", "dataset": dataset, "namespace": "prod"}
        assert document["event"]["dataset"] == dataset


def test_fields_and_tags(agent, server, tmp_path):
    (tmp_path / "a.log").write_text("x\n")
    agent(base_config(server.url, [tmp_path / "a.log"],
                      input__fields={"team": "edge \"1\"", "site.name": "bonn"},
                      input__tags=["one", "t\\wo"])).run_once()
    (document,) = server.documents()
    assert document["tags"] == ["one", "t\\wo"]
    assert document["fields"] == {"team": "edge \"1\"", "site": {"name": "bonn"}}


def test_agent_id_stays(agent, server, tmp_path):
    one = agent(base_config(server.url, [tmp_path / "a.log"]))
    for n in range(2):
        with open(tmp_path / "a.log", "a") as f:
            f.write("line %d\n" % n)
        one.run_once()
    assert len({d["agent"]["id"] for d in server.documents()}) == 1


LINES = [
    # (bytes of the line with its end, message or None when there is no document)
    (b"plain\n", "plain"),
    (b"crlf\r\n", "crlf"),
    (b"\n", None),
    (b"lone\rcr\n", "lone\rcr"),
    (b"two\r\r\n", "two\r"),
    (b"nul\x00inside\n", "nul\x00inside"),
    (bytes(range(1, 10)) + bytes(range(11, 13)) + bytes(range(14, 32)) + b"\x7f\n",
     "".join(map(chr, [*range(1, 10), 11, 12, *range(14, 32), 127]))),
    (b'quote " backslash \\ slash / \\u0041\n', 'quote " backslash \\ slash / \\u0041'),
    ("umlaut äöü, euro €, gclef 𝄞, sep \u2028\u2029, bom \ufeff\n".encode(),
     "umlaut äöü, euro €, gclef 𝄞, sep \u2028\u2029, bom \ufeff"),
    (b"bad \xff byte\n", "bad \ufffd byte"),
    (b"bad \x80 continuation\n", "bad \ufffd continuation"),
    (b"latin1 gr\xfc\xdfe\n", "latin1 gr\ufffd\ufffde"),
    (b"  blanks stay \t \n", "  blanks stay \t "),
    (b"\x1b[31mansi\x1b[0m\n", "\x1b[31mansi\x1b[0m"),
    (b"a\n", "a"),
]


def test_odd_bytes(agent, server, tmp_path):
    log = tmp_path / "a.log"
    log.write_bytes(b"".join(line for line, _ in LINES))
    run = agent(base_config(server.url, [log])).run_once()
    want, offset = [], 0
    for line, message in LINES:
        if message is not None:
            want.append((offset, message))
        offset += len(line)
    got = sorted((d["log"]["offset"], d["message"]) for d in server.documents())
    assert got == want
    assert run.ledger["skipped"]["reasons"] == {"empty": {"bytes": 1, "lines": 1}}
    assert run.ledger["read"] == {"bytes": offset, "lines": len(LINES)}
    assert run.ledger["documents"]["bad_utf8"] == 4


@pytest.mark.parametrize("bad", [
    b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfe\xff", b"\x80" * 100,
], ids=lambda b: b[:5].hex())
def test_every_kind_of_invalid_utf8(agent, server, tmp_path, bad):
    """In the middle of a line, at its end, and across a read: valid JSON, the rest intact."""
    log = tmp_path / "a.log"
    log.write_bytes(b"x" + bad + b"y\n" + bad + b"\n" + b"z" * 65530 + bad + b"w\nlast\n")
    agent(base_config(server.url, [log])).run_once()
    messages = [d["message"] for d in sorted(server.documents(), key=lambda d: d["log"]["offset"])]
    assert re.fullmatch("x\ufffd+y", messages[0]) and re.fullmatch("\ufffd+", messages[1])
    assert re.fullmatch("z{65530}\ufffd+w", messages[2]) and messages[3] == "last"


def test_random_bytes(agent, server, tmp_path):
    chaos = random.Random(4711).randbytes(1 << 20)
    (tmp_path / "a.log").write_bytes(chaos + b"\n")
    run = agent(base_config(server.url, [tmp_path / "a.log"])).run_once()
    lines = [line for line in chaos.split(b"\n") if line]
    read = run.ledger["read"]
    assert read["bytes"] == len(chaos) + 1 and read["lines"] == chaos.count(b"\n") + 1
    assert len(server.docs) in range(len(lines) - 20, len(lines) + 1), "a line of CR is empty too"


NAMES = [b"plain.log", b"with space.log", b'quo"te.log', b"back\\slash.log", b"new\nline.log",
         b"tab\t.log", b"\xff\xfe.log", "umläut.log".encode(), b"'single'.log", b"[a-b].log",
         b"-dash.log", b"$(x).log", b"esc\x1b[31m.log", b"n" * 251 + b".log"]


def test_odd_file_names(agent, server, tmp_path):
    logs = os.fsencode(tmp_path / "logs")
    os.mkdir(logs)
    for n, name in enumerate(NAMES):
        with open(os.path.join(logs, name), "wb") as f:
            f.write(b"line of %d\n" % n)
    one = agent(base_config(server.url, [tmp_path / "logs" / "*.log"])).start()
    server.wait_docs(len(NAMES))
    for document in server.documents():
        n = int(document["message"].split()[-1])
        want = os.path.join(logs, NAMES[n]).decode("utf-8", "replace")
        assert document["log"]["file"]["path"] == want
    assert one.stop() == 0
    assert all(re.match(r"\d{4}-", line) for line in one.stderr.splitlines()), "no forged line"


@pytest.mark.elastic
def test_odd_bytes_and_names_are_found(agent, elastic, dataset, tmp_path):
    logs = os.fsencode(tmp_path / "logs")
    os.mkdir(logs)
    body = b"".join(line for line, _ in LINES)
    for name in NAMES:
        with open(os.path.join(logs, name), "wb") as f:
            f.write(body)
    one = agent(base_config(elastic.url, [tmp_path / "logs" / "*.log"], dataset))
    run = one.run_once()
    stream = "logs-%s-default" % dataset
    want = sorted(m for _, m in LINES if m is not None)
    elastic.wait_count(stream, len(want) * len(NAMES))
    found = {}
    for _, source, _ in elastic.all(stream):
        found.setdefault(source["log"]["file"]["path"], []).append(source["message"])
    assert sorted(found) == sorted(
        os.path.join(logs, name).decode("utf-8", "replace") for name in NAMES)
    assert all(sorted(messages) == want for messages in found.values())
    assert run.ledger["dead_lettered"]["lines"] == 0


# ---- long lines


def test_line_over_max_bytes(agent, server, tmp_path):
    """Cut, flagged, in step again at the next line; what lies beyond is counted."""
    log = tmp_path / "a.log"
    long = "a" * 5000
    log.write_text("before\n" + long + "\nafter\n" + "b" * 1024 + "\n" + "c" * 1025 + "\n")
    run = agent(base_config(server.url, [log], input__max_bytes="1KiB")).run_once()
    got = [(d["log"]["offset"], d["message"], d["log"].get("flags"))
           for d in sorted(server.documents(), key=lambda d: d["log"]["offset"])]
    assert got == [(0, "before", None), (7, "a" * 1024, ["truncated"]), (5008, "after", None),
                   (5014, "b" * 1024, None), (6039, "c" * 1024, ["truncated"])]
    assert run.ledger["read"]["bytes"] == log.stat().st_size
    beyond = 5000 - 1024 + 1
    assert run.ledger["skipped"]["reasons"]["oversize_tail"]["bytes"] in (beyond, beyond + 2), (
        "with or without the two line ends")
    assert run.ledger["documents"]["truncated"] == 2


def test_line_of_100_mb_in_bounded_memory(agent, server, tmp_path):
    with open(tmp_path / "a.log", "wb") as f:
        for _ in range(100):
            f.write(b"x" * (1 << 20))
        f.write(b"\nnext\n")
    one = agent(base_config(server.url, [tmp_path / "a.log"])).start()
    server.wait_docs(2, deadline=60)
    assert one.memory_kib() < 64 << 10 or SANITIZED
    assert sorted(len(m) for m in server.messages()) == [4, 1 << 20]
    assert one.stop() == 0


def test_cut_within_a_character(agent, server, tmp_path):
    (tmp_path / "a.log").write_bytes(b"x" * 1023 + "€uro\n".encode() + b"next\n")
    agent(base_config(server.url, [tmp_path / "a.log"], input__max_bytes="1KiB")).run_once()
    messages = sorted(server.messages())
    assert messages[0] == "next" and re.fullmatch("x{1023}\ufffd?", messages[1])
