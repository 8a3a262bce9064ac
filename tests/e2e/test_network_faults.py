"""The network as it fails: packets that vanish, peers that vanish, answers that take for ever or are
none; nothing lost, nothing twice, memory bounded, no storm of retries."""

import ctypes
import functools
import gzip
import json
import os
import signal
import socket
import threading
import time

import dns
import fault_server as fs
import pytest
import wherry
from tools import loggen
from waiting import TIME_SCALE, holds_for, wait_for
from wherry import FAST_RETRY, NOT_ALL, OK, base_config

LINES = 50


def config(url, tmp_path, **more):
    return base_config(url, [tmp_path / "*.log"], **{"shutdown_timeout": "1s", **FAST_RETRY, **more})


def assert_all(server, count=LINES):
    assert len(server.docs) == count
    assert len(set(server.messages())) == count


def append(path, text):
    with open(path, "a", encoding="ascii") as f:
        f.write(text)


# ---- connections that come to nothing


class Unanswering:
    """A port whose connections are not even accepted by the system: its queue is full, so that what
    comes is dropped, as by a firewall."""

    def __enter__(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.port = self._listener.getsockname()[1]
        self._fill = []
        while True:
            one = socket.socket()
            one.settimeout(0.3)
            self._fill.append(one)
            try:
                one.connect(("127.0.0.1", self.port))
            except OSError:
                return self

    def __exit__(self, *_):
        for one in (*self._fill, self._listener):
            one.close()


class Accepting:
    """Takes connections, never says a word."""

    def __enter__(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        self.port = self._listener.getsockname()[1]
        return self

    def __exit__(self, *_):
        self._listener.close()


@pytest.mark.parametrize("hole", [Unanswering, Accepting],
                         ids=["packets_dropped", "never_answers"])
def test_black_hole_at_start(agent, tmp_path, hole):
    """Told by a time-out, tried again after pauses; all is shipped when something answers."""
    loggen(tmp_path / "a.log", LINES)
    with hole() as port:
        one = agent(config("http://127.0.0.1:%d" % port.port, tmp_path,
                           output__connect_timeout="300ms", output__timeout="400ms")).start()
        one.wait_log(r"health: output degraded.*[Tt]ime(d |-)?out")
        loggen(tmp_path / "b.log", LINES, writer="w2")
    with fs.FaultServer(port=port.port) as server:
        server.wait_docs(2 * LINES)
        assert_all(server, 2 * LINES)
        assert one.stop() == OK
        assert server.duplicates == 0
        assert one.ledger["documents"]["resent"] == 0


@pytest.mark.parametrize("applied", [False, True], ids=["lost", "taken"])
def test_black_hole_in_the_middle(agent, server, tmp_path, applied):
    """A request that is never answered is sent again after `timeout`, the same bytes."""
    loggen(tmp_path / "a.log", LINES)
    server.script(fs.black_hole(apply=applied), fs.black_hole(apply=applied))
    # longer than what is asked for below: the stand-in may note the first one late
    run = agent(config(server.url, tmp_path, output__timeout="700ms")).run_once()
    assert_all(server)
    bodies = {r.body for r in server.bulks}
    assert len(server.bulks) == 3 and len(bodies) == 1
    assert run.ledger["documents"]["duplicate"] == (LINES if applied else 0)
    assert server.bulks[1].time - server.bulks[0].time >= 0.5


def test_reset_in_the_middle_of_an_answer(agent, server, tmp_path):
    """The documents were taken, half of the answer came: the same bytes again, answered 409."""
    loggen(tmp_path / "a.log", LINES)
    server.script(fs.reset_mid_answer(), fs.reset_mid_answer())
    run = agent(config(server.url, tmp_path)).run_once()
    assert_all(server)
    assert run.ledger["documents"]["duplicate"] == LINES
    assert run.ledger["acknowledged"]["lines"] == LINES


@pytest.fixture
def namespace(tmp_path, monkeypatch):
    """The agent runs in a network of its own, which can be cut."""
    reason = dns.why_not()
    if reason is not None:
        pytest.skip(reason)
    with dns.Namespace(tmp_path, patience=25) as one:
        monkeypatch.setattr(wherry, "BINARY", one.wrapper(wherry.BINARY))
        yield one


def start(one):
    """Without waiting for readiness: the notify socket is in another network."""
    return one._spawn(["run", "-c", one.config])


def test_peer_that_vanishes(agent, namespace, tmp_path):
    """Half-open: no packet comes any more, neither data nor an end. The request under way ends by
    `timeout`; what stands in the files waits; the network is back and all is there once."""
    log = tmp_path / "a.log"
    loggen(log, LINES)
    server = fs.FaultServer()
    namespace.inside(server.start)
    try:
        one = agent(config("http://127.0.0.1:%d" % server.port, tmp_path, output__timeout="500ms",
                           output__connect_timeout="300ms"))
        start(one)
        server.wait_docs(LINES)
        release = threading.Event()
        server.script(fs.hold(release, apply_first=True))
        loggen(log, LINES, start_seq=LINES + 1)
        wait_for(lambda: len(server.docs) == 2 * LINES, what="taken, not answered")
        namespace.cut()
        release.set()
        one.wait_log("health: output degraded")
        loggen(log, LINES, start_seq=2 * LINES + 1)
        time.sleep(0.5)  # retries against nothing
        namespace.mend()
        server.wait_docs(3 * LINES)
        assert one.stop() == OK
        assert_all(server, 3 * LINES)
        assert one.ledger["documents"]["duplicate"] == LINES
        assert one.ledger["acknowledged"]["lines"] == 3 * LINES
    finally:
        server.stop()


def test_idle_connection_that_is_dead(agent, namespace, tmp_path):
    """The server goes and comes back while nothing can tell the agent: the kept connection is found
    out by its first use, and nothing is lost or repeated."""
    log = tmp_path / "a.log"
    loggen(log, LINES)
    server = fs.FaultServer()
    namespace.inside(server.start)
    try:
        one = agent(config("http://127.0.0.1:%d" % server.port, tmp_path))
        start(one)
        server.wait_docs(LINES)
        namespace.cut()
        server.pause()
        namespace.inside(server.start)
        namespace.mend()
        loggen(log, LINES, start_seq=LINES + 1)
        server.wait_docs(2 * LINES)
        assert one.stop() == OK
        assert_all(server, 2 * LINES)
        assert server.duplicates == 0
    finally:
        server.stop()


def their_sockets(pid, port):
    """Copies of the process's connections to a port."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    process = os.pidfd_open(pid)
    found = []
    try:
        for name in os.listdir("/proc/%d/fd" % pid):
            try:
                if not os.readlink("/proc/%d/fd/%s" % (pid, name)).startswith("socket:"):
                    continue
            except OSError:
                continue  # closed meanwhile
            fd = call(438, process, int(name), 0)  # pidfd_getfd
            if fd < 0:
                continue
            one = socket.socket(fileno=fd)
            try:
                if one.family in (socket.AF_INET, socket.AF_INET6) and one.getpeername()[1] == port:
                    found.append(one)
                    continue
            except OSError:
                pass  # not connected
            one.close()
    finally:
        os.close(process)
    return found


def test_connections_are_watched(agent, server, tmp_path):
    """There is no time-out for an answer, so a peer that vanished must be noticed by TCP: probes
    while nothing is sent, and an end when nothing is confirmed for a minute."""
    loggen(tmp_path / "a.log", LINES)
    server.script(fs.black_hole())
    one = agent(config(server.url, tmp_path, shutdown_timeout="100ms")).start()
    server.wait_bulks(1)
    found = their_sockets(one.pid, server.port)
    if not found:
        pytest.skip("the system does not let us copy descriptors of another process")
    for connection in found:
        with connection:
            tcp = socket.IPPROTO_TCP
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert connection.getsockopt(tcp, socket.TCP_KEEPIDLE) == 30
            assert connection.getsockopt(tcp, socket.TCP_KEEPINTVL) == 10
            assert connection.getsockopt(tcp, socket.TCP_USER_TIMEOUT) == 60000


def test_no_storm_after_connections_that_break(agent, server, tmp_path):
    """A gateway that takes requests and closes, time after time: as soon as something answers the
    documents go together again, not each alone."""
    loggen(tmp_path / "a.log", 5000)
    server.script(*[fs.close_without_answer()] * 60)
    run = agent(config(server.url, tmp_path)).run_once()
    assert_all(server, 5000)
    assert len(server.bulks) < 60 + 100, "%d requests" % len(server.bulks)
    assert run.ledger["documents"]["duplicate"] == 0


# ---- answers that take long


def test_long_pause_of_the_server(agent, server, tmp_path):
    """Many times all other time-outs: as many requests wait as may be under way, none is sent a
    second time, and no connection is given up for another."""
    loggen(tmp_path / "a.log", 20000)
    workers, go_on = 3, threading.Event()
    server.always(fs.hold(go_on))
    one = agent(config(server.url, tmp_path, output__workers=workers,
                       output__bulk_max_bytes="64KiB", output__connect_timeout="100ms")).start()
    wait_for(lambda: len(server.bulks) == workers, what="requests under way")
    connections = server.connections
    holds_for(lambda: len(server.bulks) == workers and server.connections <= connections + 1, 2)
    go_on.set()
    server.always(None)
    server.wait_docs(20000)
    assert one.stop() == OK
    assert server.duplicates == 0
    assert one.ledger["documents"]["resent"] == 0


def test_answer_of_one_byte_a_second(agent, server, tmp_path):
    """It is waited for, byte by byte; others are not held up."""
    loggen(tmp_path / "a.log", LINES)
    server.script(fs.slow(bytes_per_second=1, pieces=3))
    one = agent(config(server.url, tmp_path, output__workers=2)).start()
    server.wait_bulks(1)
    loggen(tmp_path / "b.log", LINES, writer="w2")
    server.wait_docs(2 * LINES)
    assert server.bulks[0].answered is None, "the second was taken while the first was answered"
    wait_for(lambda: server.bulks[0].answered, 20, "the whole answer")
    assert one.stop() == OK
    assert len(server.bulks) == 2 and server.duplicates == 0
    assert one.ledger["acknowledged"]["lines"] == 2 * LINES


# ---- answers that are none


@functools.cache
def packed_zeros():
    return gzip.compress(b'{"took":1,"junk":"' + b"0" * (80 << 20) + b'"}', 1)


def bomb(exchange):
    """80 MB out of 350 KB: more than is read of any answer."""
    exchange.apply()
    return exchange.answer(200, packed_zeros(), {"content-encoding": "gzip"})


def endless_head(exchange):
    """A head that does not end."""
    exchange.apply()
    exchange.connection.send(b"HTTP/1.1 200 OK\r\n")
    for n in range(100000):
        exchange.connection.send(b"X-Line-%d: %s\r\n" % (n, b"x" * 1000))
    return False


def many_items(exchange):
    """Half a million items, as an answer to fifty."""
    exchange.apply()
    item = b'{"create":{"status":400,"error":{"type":"t","reason":"%s"}}}' % (b"r" * 40)
    body = b'{"errors":true,"items":[' + b",".join([item] * 500000) + b"]}"
    return exchange.answer(200, body)


@pytest.mark.parametrize("form", [fs.huge(apply=True), bomb, endless_head, many_items],
                         ids=["50_MB", "gzip_bomb", "endless_head", "too_many_items"])
def test_memory_for_answers_is_bounded(agent, server, tmp_path, form):
    """Outcome unknown, the same bytes again; the agent's peak stays small."""
    loggen(tmp_path / "a.log", LINES)
    server.script(form, form)
    one = agent(config(server.url, tmp_path)).start()
    wait_for(lambda: server.duplicates == 2 * LINES, 60, "asked three times")
    peak = one.peak_kib()
    assert one.stop() == OK
    assert_all(server)
    assert one.ledger["dead_lettered"]["lines"] == 0
    if TIME_SCALE == 1:  # sanitizers have memory of their own
        assert peak < 40 << 10, "%d KiB" % peak


def shuffled(exchange):
    """Keys in another order than usual, fields nobody knows, spaces: as a proxy may write it."""
    items = exchange.apply(lambda n, a: 429 if n == 7 else None)
    written = []
    for item in items:
        (op, values), = item.items()
        values = {"zz": [1, {"status": 500, "items": [{}]}], **values, "took": {"errors": None}}
        written.append({op: dict(reversed(list(values.items())))})
    body = json.dumps({"later": {"items": [{"create": {"status": 400}}]}, "items": written,
                       "errors": "not a bool", "took": 3, "ünknown": "\u2028"}, indent=3)
    return exchange.answer(200, body + "\r\n \t")


def test_answer_in_another_order(agent, server, tmp_path):
    """Understood all the same: only the refused item is sent again."""
    loggen(tmp_path / "a.log", LINES)
    server.script(shuffled)
    run = agent(config(server.url, tmp_path)).run_once()
    assert_all(server)
    first, second = server.bulks
    assert second.ids == [first.ids[7]]
    assert run.ledger["documents"]["created"] == LINES


def without_status(exchange):
    """An item that does not say what became of it."""
    items = exchange.apply()
    del items[3]["create"]["status"]
    return exchange.answer(200, {"errors": False, "items": items})


def test_item_without_a_status(agent, server, tmp_path):
    """Protocol error: outcome unknown, so it is sent again and answered 409."""
    loggen(tmp_path / "a.log", LINES)
    server.script(without_status)
    run = agent(config(server.url, tmp_path)).run_once()
    assert_all(server)
    assert server.bulks[0].ids[3] in server.bulks[1].ids
    assert run.ledger["dead_lettered"]["lines"] == 0
    assert run.ledger["acknowledged"]["lines"] == LINES


# ---- a server that says "not now"


def test_a_long_time_of_429_items(agent, server, tmp_path):
    """Every second document is refused for a while: what was taken is never sent again, requests
    become rare, and when it is over the rest follows at once."""
    lines = 4000
    loggen(tmp_path / "a.log", lines)
    busy = threading.Event()
    busy.set()
    server.always(fs.bulk_reply(
        lambda n, a: 429 if busy.is_set() and int(a.id[12:25], 16) // 10 % 2 else None))
    one = agent(config(server.url, tmp_path, output__backoff__init="100ms",
                       output__backoff__max="2s", output__workers=2)).start()
    wait_for(lambda: server.bulks, what="a first request")
    time.sleep(5)  # what is measured is how much it asks in that time
    begin = server.bulks[0].time
    times = [r.time - begin for r in server.bulks]
    early, late = sum(t < 1 for t in times), sum(3 < t <= 4 for t in times)
    assert late <= max(early, 8), "it does not slow down: %r" % times
    assert len(times) < 80, "%d requests in five seconds of 429s" % len(times)
    busy.clear()
    server.wait_docs(lines, 15)
    assert one.stop() == OK
    assert server.duplicates == 0, "an accepted document was sent again"
    assert_all(server, lines)
    assert one.ledger["dead_lettered"]["lines"] == 0


BLOCKS = {
    "flood_429": fs.bulk_reply(lambda n, a: (
        429, "cluster_block_exception", "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage "
        "exceeded flood-stage watermark, index has read-only-allow-delete block];")),
    "flood_403": fs.bulk_reply(lambda n, a: (
        403, "cluster_block_exception", "index [x] blocked by: [FORBIDDEN/12/index read-only / "
        "allow delete (api)];")),
    "whole_403": fs.error_reply(403, "cluster_block_exception",
                                "blocked by: [FORBIDDEN/6/cluster read-only (api)];"),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_block_that_lasts(agent, server, tmp_path, name):
    """The stream waits as long as it takes, with few questions; nothing is dropped."""
    loggen(tmp_path / "a.log", 3000)
    server.always(BLOCKS[name])
    one = agent(config(server.url, tmp_path)).start()
    one.wait_log("health: output degraded.*blocked")
    server.wait_bulks(12)
    sent = sum(len(r.body) for r in server.bulks)
    assert sent < 4 << 20, "%d bytes to a stream that is blocked" % sent
    server.always(None)
    server.wait_docs(3000)
    one.wait_log("health: output ok|accepts documents again")
    assert one.stop() == OK
    assert server.duplicates == 0
    assert one.ledger["dead_lettered"]["lines"] == 0


def test_proxy_with_a_limit_of_a_megabyte(agent, server, tmp_path):
    """Requests of four are halved until they pass, later ones are made to fit; one document of two
    megabytes is dead-lettered, whole."""
    loggen(tmp_path / "a.log", 8000, size=400)
    append(tmp_path / "a.log", "y" * (2 << 20) + "\n")
    loggen(tmp_path / "a.log", 8000, size=400, start_seq=8001)
    server.always(fs.limit_body(1 << 20))
    one = agent(config(server.url, tmp_path, output__bulk_max_bytes="4MiB", output__workers=1,
                       input__max_bytes="4MiB"))
    run = one.run_once(allowed=[NOT_ALL])
    assert_all(server, 16000)
    assert run.ledger["dead_lettered"] == {"bytes": (2 << 20) + 1, "lines": 1}
    code, out, _ = one.command("deadletter", "list", "--json")
    assert code == OK and '"status":413' in out.replace(" ", ""), out
    refused = [n for n, r in enumerate(server.bulks) if r.answered == 413]
    assert len(refused) <= 8, "the size is not remembered: %r" % refused


# ---- several hosts


def test_one_host_dead_and_one_slow(agent, server, tmp_path):
    """The slow one gets what it can take, the dead one is asked again and again, and when it is
    there it has its share."""
    slow, dead = fs.FaultServer().start(), fs.FaultServer().start()
    dead.pause()

    def late(exchange):
        exchange.read_body()
        exchange.server.stopping.wait(0.3)
        return fs.well_behaved()(exchange)
    slow.always(late)
    try:
        options = config(server.url, tmp_path, output__bulk_max_bytes="64KiB", output__workers=3)
        options["output.elasticsearch"]["hosts"] = [server.url, slow.url, dead.url]
        loggen(tmp_path / "a.log", 30000)
        one = agent(options).start()
        count = lambda: sum(len(s.docs) for s in (server, slow, dead))  # noqa: E731
        wait_for(lambda: count() == 30000, 60, lambda: "%d of 30000" % count())
        assert slow.docs, "slow is not dead"
        assert len(server.docs) > 4 * len(slow.docs), (len(server.docs), len(slow.docs))
        one.wait_log("%s: .*trying again" % dead.url)
        dead.start()
        one.wait_log("%s: works again" % dead.url)
        loggen(tmp_path / "b.log", 10000, writer="w2")
        wait_for(lambda: count() == 40000, 60, lambda: "%d of 40000" % count())
        assert dead.docs
        assert one.stop() == OK
        messages = [m for s in (server, slow, dead) for m in s.messages()]
        assert len(set(messages)) == 40000
    finally:
        slow.stop()
        dead.stop()


# ---- names


def is_open(pid, path):
    """Whether a process has a file open."""
    for name in os.listdir("/proc/%d/fd" % pid):
        try:
            if os.readlink("/proc/%d/fd/%s" % (pid, name)) == os.fspath(path):
                return True
        except OSError:
            pass  # closed meanwhile
    return False


def test_name_server_does_not_hold_up_the_rest(agent, namespace, tmp_path):
    """While a name is looked up, as long as that takes, signals are heard and new files are found;
    then logs and metrics are shipped."""
    loggen(tmp_path / "a.log", LINES)
    namespace.mode = "held"
    server = fs.FaultServer()
    namespace.inside(server.start)
    try:
        one = agent(config("http://es.test:%d" % server.port, tmp_path,
                           **{"metrics.enabled": True, "metrics.period": "1s"}))
        start(one)
        wait_for(lambda: namespace.asked, what="a look-up")
        one.send_signal(signal.SIGHUP)
        one.wait_log("SIGHUP: the configuration was taken over")
        loggen(tmp_path / "b.log", LINES, writer="w2")
        wait_for(lambda: is_open(one.pid, tmp_path / "b.log"), what="b.log is read")
        assert not one.log_lines("resolve") and not server.requests, "the look-up was over by then"
        namespace.release()
        logs = lambda: server.messages("logs-generic-default")  # noqa: E731
        wait_for(lambda: len(logs()) == 2 * LINES, 30, "all lines")
        assert len(set(logs())) == 2 * LINES
        wait_for(lambda: len({d["@timestamp"] for (i, _), d in list(server.docs.items())
                              if ".load-" in i}) >= 3, 30, "metrics")
        assert one.stop() == OK
        assert one.ledger.inputs["metrics"]["dead_lettered"]["lines"] == 0
    finally:
        server.stop()


@pytest.mark.parametrize("mode", ["servfail", "nxdomain", "nowhere"])
def test_broken_ipv6_answers(agent, namespace, tmp_path, mode):
    """The name server's answers for IPv6 are broken, or lead to where nobody is: IPv4 is enough."""
    loggen(tmp_path / "a.log", LINES)
    namespace.mode6 = mode
    server = fs.FaultServer()
    namespace.inside(server.start)
    try:
        one = agent(config("http://es.test:%d" % server.port, tmp_path))
        run = start(one)
        server.wait_docs(LINES)
        if dns.AAAA not in namespace.asked:
            pytest.skip("no IPv6 here: its addresses are not asked for")
        one.stop()
        assert_all(server)
        assert run.ledger["acknowledged"]["lines"] == LINES
    finally:
        server.stop()
