"""The test tools against each other: loggen, the Python twin of its lines, sink, fault server."""

import gzip
import http.client
import json
import os
import re
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.parse

import fault_server as fs
import pytest
import seqline
from certs import Authority
from elastic import by_generation
from tools import Loggen, Sink, loggen, tool
from waiting import wait_for
from wherry import base_config


class Client:
    """A shipper of a few lines: bulk requests over one kept connection."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)

    def bulk(self, items, index="logs-x-default", query="", compress=False, chunked=False):
        """items: (id, document) pairs; returns (status, decoded answer or bytes)."""
        lines = []
        for id_, document in items:
            lines.append(json.dumps({"create": {"_id": id_}}))
            lines.append(document if isinstance(document, str) else json.dumps(document))
        return self.raw("".join(line + "\n" for line in lines).encode(), index, query, compress,
                        chunked)

    def raw(self, body, index="logs-x-default", query="", compress=False, chunked=False):
        headers = {"content-type": "application/x-ndjson"}
        if compress:
            body = gzip.compress(body, 1)
            headers["content-encoding"] = "gzip"
        if chunked:
            pieces = [body[i : i + 1000] for i in range(0, len(body), 1000)]
            self.connection.request("POST", "/%s/_bulk%s" % (index, query), iter(pieces), headers,
                                    encode_chunked=True)
        else:
            self.connection.request("POST", "/%s/_bulk%s" % (index, query), body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def statuses(self, items, **options):
        status, answer = self.bulk(items, **options)
        assert status == 200, answer
        return [i["create"]["status"] for i in answer["items"]]


def documents(path, generation="AAAAAAAAAAAA"):
    """(id, document) pairs of a file, as a shipper would make them."""
    offset = 0
    with open(path, "rb") as f:
        for line in f:
            yield generation + "%013x" % offset, {
                "@timestamp": "2026-01-01T00:00:00.000Z",
                "log": {"file": {"path": os.fspath(path)}, "offset": offset},
                "message": line[:-1].decode()}
            offset += len(line)


# ---- loggen


def test_loggen_lines_are_what_python_computes(tmp_path):
    numbers = loggen(tmp_path / "a.log", 500, writer="web-1", start_seq=7, size=100)
    lines = (tmp_path / "a.log").read_text().splitlines()
    assert lines == [seqline.line("web-1", 7 + n, 99) for n in range(500)]
    assert numbers == {"writer": "web-1", "lines": 500, "bytes": 50000, "rotations": 0, "last": 506}
    assert any(seqline.DIRTY in line for line in lines)
    checker = seqline.Checker()
    for line in lines:
        checker.add(line)
    assert checker.seen == {"web-1": set(range(7, 507))}
    assert not checker.altered and not checker.repeated


def test_checker_finds_what_is_wrong():
    checker = seqline.Checker()
    lines = [seqline.line("a", n) for n in (1, 2, 2, 4)]
    for text in lines + [lines[0][:-1] + "!", "not a line"]:
        checker.add(text)
    assert checker.missing("a", 4) == [3]
    assert checker.repeated == [("a", 2)] and len(checker.altered) == 2
    for expected in ({"a": 4}, {"a": 2}, {}):
        with pytest.raises(AssertionError):
            checker.assert_exactly(expected)


def test_loggen_long_line(tmp_path):
    loggen(tmp_path / "a.log", 1, size=20001)
    assert (tmp_path / "a.log").read_text() == seqline.line("w1", 1, 20000) + "\n"


@pytest.mark.parametrize("keep, left", [(0, 4), (2, 2)])
def test_loggen_rename_rotation(tmp_path, keep, left):
    numbers = loggen(tmp_path / "a.log", 1000, rotate_every=210, rotate="rename", keep=keep)
    assert numbers["rotations"] == 4
    assert sorted(os.listdir(tmp_path)) == ["a.log"] + ["a.log.%d" % n for n in range(1, left + 1)]
    seen = []
    for name in ["a.log.%d" % n for n in range(left, 0, -1)] + ["a.log"]:
        seen += [seqline.parse(line)[1] for line in (tmp_path / name).read_text().splitlines()]
    assert seen == list(range(1001 - len(seen), 1001))
    assert len(seen) == 1000 if keep == 0 else len(seen) == 160 + 2 * 210
    loggen(tmp_path / "a.log", 3, rotate_every=2, start_seq=1001, keep=keep)
    assert len(os.listdir(tmp_path)) == (6 if keep == 0 else 3), "earlier files are shifted on"


def test_loggen_other_rotations(tmp_path):
    loggen(tmp_path / "c.log", 30, rotate_every=10, rotate="copytruncate")
    assert [seqline.parse(line)[1] for n in (2, 1) for line in
            (tmp_path / ("c.log.%d" % n)).read_text().splitlines()] == list(range(1, 21))
    assert len((tmp_path / "c.log").read_text().splitlines()) == 10
    for rotation in ("truncate", "delete"):
        loggen(tmp_path / rotation, 30, rotate_every=20, rotate=rotation)
        assert [seqline.parse(line)[1] for line in
                (tmp_path / rotation).read_text().splitlines()] == list(range(21, 31))
    assert not (tmp_path / "delete.1").exists()


def test_loggen_rate_and_burst(tmp_path):
    start = time.monotonic()
    loggen(tmp_path / "a.log", 300, rate=1000, burst=10)
    assert 0.25 < time.monotonic() - start < 5


@pytest.mark.parametrize("args, status, says", [
    ([], 2, "usage"),
    (["--path", "/nonexistent/x", "--lines", "1"], 1, "No such file"),
    (["--path", "x", "--lines", "1x"], 2, "not a number"),
    (["--path", "x", "--lines", "1", "--writer", "a b"], 2, "--writer"),
    (["--path", "x", "--lines", "1", "--rotate", "sideways"], 2, "not known"),
    (["--path", "/dev/full", "--lines", "1"], 1, "No space left"),
])
def test_loggen_refuses(tmp_path, args, status, says):
    done = subprocess.run([tool("loggen"), *args], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == status and says in done.stderr


# ---- sink


@pytest.mark.parametrize("format_", ["seq", "nginx", "json", "cri"])
@pytest.mark.parametrize("options", [{}, {"compress": True}, {"chunked": True},
                                     {"compress": True, "chunked": True}])
def test_sink_verifies(tmp_path, format_, options):
    loggen(tmp_path / "a.log", 2000, format=format_, size=250, writer="w9")
    items = list(documents(tmp_path / "a.log"))
    with Sink(verify=format_) as sink:
        client = Client(sink.url)
        assert client.statuses(items[:1500], **options) == [201] * 1500
        assert sink.missing("w9", 2000) == {"ranges": [[1501, 2000]], "missing": 500}
        assert client.statuses(items[1000:], **options) == [409] * 500 + [201] * 500
        stats = sink.stats()
        assert (stats["docs"], stats["unique"], stats["repeated_ids"]) == (2500, 2000, 500)
        assert stats["indices"] == {"logs-x-default": 2000}
        assert stats["status"] == {"201": 2000, "409": 500}
        sink.assert_exactly({"w9": 2000})


def test_sink_finds_altered_and_repeated(tmp_path):
    loggen(tmp_path / "a.log", 10)
    items = [list(i) for i in documents(tmp_path / "a.log")]
    items[3][1]["message"] += "!"
    items[5][1]["message"] = items[5][1]["message"].replace(" ", "  ", 1)
    items.append(("other-id", items[0][1]))
    with Sink() as sink:
        Client(sink.url).bulk(items)
        stats = sink.stats()
        assert (stats["altered"], stats["repeated_lines"], stats["unique"]) == (2, 1, 11)
        assert sink.missing("w1", 10)["ranges"] == [[4, 4], [6, 6]]
        sink.call("/_sink/reset", {})
        assert sink.stats()["unique"] == 0


def test_sink_answers_like_elasticsearch():
    with Sink("--version", "9.5.3", verify=None) as sink:
        assert sink.call("/")["version"]["number"] == "9.5.3"
        assert list(sink.call("/_nodes/_local")["nodes"].values())[0]["version"] == "9.5.3"
        assert sink.call("/_cluster/health")["status"] == "green"
        assert sink.call("/_index_template/logs", {}, "PUT") == {"acknowledged": True}
        client = Client(sink.url)
        status, answer = client.bulk([("a", {"m": 1})])
        assert status == 200 and answer["errors"] is False
        assert answer["items"][0]["create"]["_id"] == "a"
        status, answer = client.bulk([("a", {}), ("b", {})],
                                     query="?filter_path=errors,items.*.status,items.*.error")
        assert answer["errors"] is True
        assert [sorted(i["create"]) for i in answer["items"]] == [["error", "status"], ["status"]]
        status, answer = client.bulk([("c", "{broken"), ("d", "{}")])
        assert [i["create"]["status"] for i in answer["items"]] == [400, 201]
        for body in (b"", b"{}\n{}\n", b'{"create":{}}\n{}', b'{"delete":{"_id":"a"}}\n'):
            assert client.raw(body)[0] == 400, body
        client.connection.request("HEAD", "/")
        answer = client.connection.getresponse()
        assert answer.status == 200 and answer.read() == b""
        assert answer.getheader("x-elastic-product") == "Elasticsearch"
        client.connection.request("POST", "/_bulk", b"not gzip", {"content-encoding": "gzip"})
        with pytest.raises(http.client.RemoteDisconnected):
            client.connection.getresponse()


def test_sink_reads_any_split_of_a_request():
    body = b'{"create":{"_id":"1"}}\n{"message":"x"}\n'
    head = b"POST /i/_bulk HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
    request = head + body
    with Sink(verify=None) as sink:
        port = urllib.parse.urlsplit(sink.url).port
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in request:
                s.sendall(bytes([byte]))
            s.sendall(request * 2)
            text = b""
            while text.count(b'"status"') < 3:
                text += s.recv(65536)
        assert text.count(b'"status":201') == 1 and text.count(b'"status":409') == 2
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(b"nonsense\r\n\r\n")
            assert b"413" in s.recv(4096)


def test_sink_faults():
    with Sink("--fault", "item429=0.25", "--fault", "seed=7", verify=None) as sink:
        client = Client(sink.url)
        items = [(str(n), {}) for n in range(1000)]
        first = client.statuses(items)
        assert 150 < first.count(429) < 350 and first.count(201) == 1000 - first.count(429)
        sink.call("/_sink/reset", {})
        sink.faults(seed=7)
        assert client.statuses(items) == first, "the same for the same seed"
        sink.faults(item429=0, status=503, status_for=2)
        assert [client.bulk(items)[0] for _ in range(3)] == [503, 503, 200]
        sink.call("/_sink/reset", {})
        sink.faults(cut_every=2, delay_ms=30)
        start = time.monotonic()
        assert client.statuses([("x", {})]) == [201]
        assert time.monotonic() - start >= 0.029
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            client.bulk([("y", {})])
        assert client.statuses([("y", {})]) == [409], "a cut request has been taken"
        with pytest.raises(Exception, match="400"):
            sink.faults(nonsense=1)


def test_sink_expect_ends_it():
    process = subprocess.Popen([tool("sink"), "--expect", "2"], stdout=subprocess.PIPE, text=True)
    url = process.stdout.readline().split()[-1]
    client = Client(url)
    client.bulk([("1", {}), ("2", {})])
    assert process.stdout.readline() == "first\n"
    assert process.stdout.readline() == "nearly\n"
    assert process.stdout.readline().startswith("reached 2 documents in ")
    client.connection.close()
    assert process.wait(10) == 0


def test_stamps_of_writes_and_of_taking(tmp_path):
    path, written, taken = (os.fspath(tmp_path / name) for name in ("x.log", "written", "taken"))
    before = time.monotonic_ns()
    loggen(path, 5, stamps=written)
    with open(path, encoding="ascii") as f:
        lines = f.read().splitlines()
    with Sink("--stamps", taken) as sink:
        answered = Client(sink.url).statuses([(str(n), {"message": line})
                                              for n, line in reversed(list(enumerate(lines)))])
        assert answered == [201] * 5
    stamps = []
    for name in (written, taken):
        with open(name, "rb") as f:
            stamps.append(struct.unpack("<6Q", f.read()))
    assert stamps[0][0] == stamps[1][0] == 0, "lines are counted from 1"
    assert before < stamps[0][1] <= stamps[0][5] < stamps[1][5] <= stamps[1][1], stamps


def test_sink_over_tls(tmp_path):
    ca = Authority(tmp_path)
    certificate, key = ca.server()
    with Sink("--tls-cert", certificate, "--tls-key", key, verify=None) as sink:
        assert sink.url.startswith("https://")
        port = urllib.parse.urlsplit(sink.url).port
        client = Client("http://unused")
        client.connection = http.client.HTTPSConnection(
            "localhost", port, timeout=30, context=ssl.create_default_context(cafile=ca.cert))
        items = [(str(n), {"message": "x" * 1000}) for n in range(3000)]  # many records of TLS
        assert client.statuses(items) == [201] * 3000
        assert client.statuses(items, compress=True) == [409] * 3000


def test_sink_that_looks_later(tmp_path):
    path = os.fspath(tmp_path / "x.log")
    loggen(path, 100)
    with open(path, encoding="ascii") as f:
        lines = f.read().splitlines()
    items = [(str(n), {"message": line}) for n, line in enumerate(lines)]
    query = "?filter_path=errors,items.*.status"
    with Sink("--defer", "10000") as sink:  # fewer than come: some are looked at on the way
        client = Client(sink.url)
        for n in range(0, 100, 10):
            assert client.statuses(items[n : n + 10], query=query) == [201] * 10
        sink.assert_exactly({"w1": 100})
        assert client.statuses([("1", {"message": lines[1]}), ("new", {"message": lines[2]}),
                                ("odd", {"message": lines[3] + "x"})], query=query) == [201] * 3
        stats = sink.stats()
        assert (stats["repeated_ids"], stats["repeated_lines"], stats["altered"]) == (1, 1, 2)
        assert stats["unique"] == 102 and stats["docs"] == 103


# ---- the ceiling of the benchmarks


def pairs(body):
    lines = [json.loads(line, object_pairs_hook=list) for line in body.splitlines()]
    return zip(lines[0::2], lines[1::2])


def plain(action, document):
    """Without what differs between two hosts and two times; members keep their order."""
    assert [len(id_) for _, inner in action for _, id_ in inner] == [25]
    text = json.dumps([action[0][1][0][1][12:], document])
    for name in ("@timestamp", "id", "name", "version"):
        text = re.sub(r'\["%s", "[^"]*"\]' % name, '["%s"]' % name, text)
    return text


@pytest.mark.parametrize("form", ["raw", "cri"])
@pytest.mark.parametrize("document", ["lean", "default"])
def test_ceiling_writes_the_documents_of_wherry(agent, server, tmp_path, form, document):
    path = os.fspath(tmp_path / "x.log")
    loggen(path, 300, format="cri" if form == "cri" else "json", size=400)
    ceiling = os.path.join(os.path.dirname(os.path.dirname(tool("sink"))), "bench", "ceiling")
    bodies = [subprocess.run([ceiling, "--print", "--format", form, "--document", document, "--simd",
                              simd, path], stdout=subprocess.PIPE, check=True).stdout
              for simd in ("auto", "sse2")]
    assert bodies[0] == bodies[1]
    with Sink(verify="json" if form == "raw" else "seq") as sink:
        assert Client(sink.url).raw(bodies[0])[0] == 200
        stats = sink.stats()
        assert (stats["unique"], stats["altered"], stats["repeated_lines"]) == (300, 0, 0)
    agent(base_config(server.url, [path], **{} if document == "default" else {
        "metadata": []})).run_once()
    theirs = b"".join(request.body for request in server.bulks)
    assert [plain(*pair) for pair in pairs(bodies[0])] == [plain(*pair) for pair in pairs(theirs)]


# ---- fault server


@pytest.fixture
def client(server):
    return Client(server.url)


ITEMS = [("id-%d" % n, {"message": "m%d" % n}) for n in range(5)]


def test_server_behaves_well_without_script(server, client):
    assert client.statuses(ITEMS) == [201] * 5
    assert client.statuses(ITEMS[3:] + [("new", {})], compress=True) == [409, 409, 201]
    assert client.statuses(ITEMS, index="logs-y-default", chunked=True) == [201] * 5
    assert len(server.docs) == 11 and server.duplicates == 2
    assert server.messages("logs-y-default") == ["m0", "m1", "m2", "m3", "m4"]
    assert server.bulks[1].ids == ["id-3", "id-4", "new"]
    assert server.bulks[0].headers["content-type"] == "application/x-ndjson"
    client.connection.request("GET", "/")
    assert json.loads(client.connection.getresponse().read())["version"]["number"] == "8.19.21"
    assert server.connections == 1


def test_server_bulk_reply(server, client):
    server.script(fs.bulk_reply([None, 429, (400, "document_parsing_exception", "no")]),
                  fs.bulk_reply(lambda n, a: 503 if a.id == "id-1" else None))
    assert client.statuses(ITEMS) == [201, 429, 400, 201, 201]
    status, answer = client.bulk(ITEMS[1:3], query="?filter_path=errors,items.*.status")
    assert answer["errors"] is True
    assert [i["create"]["status"] for i in answer["items"]] == [503, 201]
    assert set(i for _, i in server.docs) == {"id-0", "id-2", "id-3", "id-4"}


@pytest.mark.parametrize("step, applied", [
    (fs.close_without_answer(), 0), (fs.close_without_answer(apply=True), 5),
    (fs.reset_mid_body(10), 0), (fs.short_body(), 5),
])
def test_server_breaks_the_connection(server, client, step, applied):
    server.script(step)
    with pytest.raises((http.client.HTTPException, OSError)):
        client.bulk(ITEMS)
    assert len(server.docs) == applied
    client.connection.close()
    assert client.statuses(ITEMS) == [409 if applied else 201] * 5


@pytest.mark.parametrize("step, status, applied", [
    (fs.cut_json(), 200, 5), (fs.html(), 200, 0), (fs.html(502), 502, 0),
    (fs.reply(503), 503, 0), (fs.reply(413), 413, 0), (fs.huge(3 << 20), 200, 0),
    (fs.early(401, fs.UNAUTHORIZED), 401, 0), (fs.limit_body(50), 413, 0),
    (fs.error_reply(429, "circuit_breaking_exception"), 429, 0),
])
def test_server_whole_answers(server, client, step, status, applied):
    server.script(step)
    got, _ = client.bulk(ITEMS)
    assert got == status and len(server.docs) == applied


def test_server_counts_wrong_when_told(server, client):
    server.script(fs.wrong_count(-1), fs.wrong_count(2))
    assert len(client.bulk(ITEMS)[1]["items"]) == 4
    assert len(client.bulk(ITEMS)[1]["items"]) == 7


def test_server_holds_slows_and_swallows(server, client):
    gate = threading.Event()
    server.script(fs.hold(gate, apply_first=True), fs.slow(100, pieces=5))
    threading.Timer(0.05, gate.set).start()
    assert client.statuses(ITEMS) == [201] * 5
    assert client.statuses(ITEMS) == [409] * 5
    server.script(fs.black_hole(apply=True))
    client.connection.timeout = client.connection.sock.settimeout(0.1)
    with pytest.raises(socket.timeout):
        client.bulk([("later", {})])
    assert ("logs-x-default", "later") in server.docs


def test_server_pauses_and_resumes(server, client):
    client.bulk(ITEMS)
    server.pause()
    for _ in range(2):
        client.connection.close()
        with pytest.raises(ConnectionRefusedError):
            client.bulk(ITEMS)
    server.start()
    client.connection.close()
    assert client.statuses(ITEMS) == [409] * 5


@pytest.mark.parametrize("body, problem", [
    (b'{"create":{"_id":"a"}}\n{"m":1}', "no newline"),
    (b'{"create":{"_id":"a"}}\n{"m":"\x01"}\n', "document line 1"),
    (b'{"create":{"_id":"a"}}\n{"m":"\xff"}\n', "document line 1"),
    (b'{"create":{"_id":"a"}}\n{"m":1,"m":2}\n', "duplicate key"),
    (b'{"create":{"_id":"a"}}\n\n', "document line 1"),
    (b'{"create":{}}\n{}\n', "id None"),
    (b'{"index":{"_id":"a"}}\n{}\n', "op index"),
    (b'{"create":{"_id":"a"}}\n', "without a document"),
])
def test_server_objects(body, problem):
    with fs.FaultServer() as server:
        Client(server.url).raw(body)
        assert problem in server.problems[0]


def test_server_wants_credentials():
    with fs.FaultServer(credentials="ApiKey abc") as server:
        status, _ = Client(server.url).bulk(ITEMS)
        assert status == 401 and not server.docs


# ---- a real Elasticsearch


@pytest.mark.elastic
def test_elastic_takes_what_loggen_writes(elastic, dataset, tmp_path):
    stream = "logs-%s-default" % dataset
    loggen(tmp_path / "a.log", 3000, writer="w1")
    items = list(documents(tmp_path / "a.log"))
    client = Client(elastic.url)
    assert client.statuses(items, index=stream) == [201] * 3000
    assert set(client.statuses(items[:10], index=stream)) == {409}
    elastic.wait_count(stream, 3000)
    found = [(id_, source) for id_, source, _ in elastic.all(stream, page=700)]
    checker = seqline.Checker()
    for _, source in found:
        checker.add(source["message"])
    checker.assert_exactly({"w1": 3000})
    (lines,) = by_generation(found).values()
    assert "".join(m + "\n" for _, m in lines) == (tmp_path / "a.log").read_text()
    mapping = elastic.mapping(stream)
    assert mapping["message"] == "text" and mapping["log.offset"] == "long"
    assert mapping["log.file.path"] == "keyword"


def test_loggen_runs_in_the_background(tmp_path):
    writer = Loggen(tmp_path / "a.log", 1000000, rate=1000)
    wait_for(lambda: (tmp_path / "a.log").exists() and (tmp_path / "a.log").stat().st_size > 0,
             what="a first line")
    assert writer.running
    writer.kill()
    assert not writer.running
