"""What lies between the agent and the server: proxies, gateways, name servers, connections that end,
and forms of HTTP that few servers use."""

import base64
import gzip
import json
import re
import time

import dns
import pytest
import wherry
from certs import Authority, chain, context
from fault_server import FaultServer
from proxy import Gateway, HttpProxy, SocksProxy
from tools import loggen
from waiting import TIME_SCALE, wait_for
from wherry import FAILED, FAST_RETRY, OK, base_config

LINES = 20


def config(url, tmp_path, **more):
    return base_config(url, [tmp_path / "*.log"], **{"shutdown_timeout": "1s", **FAST_RETRY, **more})


def assert_all(server, count=LINES):
    assert len(server.docs) == count
    assert len(set(server.messages())) == count


# ---- forms of HTTP


def body_of(exchange):
    return json.dumps(exchange.bulk_body(exchange.apply())).encode()


def http_1_0(exchange):
    """The body ends with the connection."""
    body = body_of(exchange)
    exchange.connection.send(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + body)
    exchange.request.answered = 200
    return False


def http_1_0_cut(exchange):
    """Half of it; nothing but the JSON tells."""
    body = body_of(exchange)
    exchange.connection.send(b"HTTP/1.0 200 OK\r\n\r\n" + body[: len(body) // 2])
    return False


def http_1_0_chunked(exchange):
    """As Elasticsearch answers HTTP/1.0."""
    body = body_of(exchange)
    exchange.connection.send(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n"
                             b"0\r\n\r\n" % (len(body), body))
    return False


def chunked(exchange):
    """Pieces of seven bytes, with an extension and a trailer."""
    body = body_of(exchange)
    pieces = [body[i : i + 7] for i in range(0, len(body), 7)]
    exchange.connection.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
        b"".join(b"%x;x=y\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\nX-Trailer: z\r\n\r\n")
    exchange.request.answered = 200
    return True


def packed(exchange):
    """gzip, asked for or not."""
    return exchange.answer(200, gzip.compress(body_of(exchange)), {"content-encoding": "gzip"})


def packed_and_cut(exchange):
    return exchange.answer(200, gzip.compress(body_of(exchange))[:-12],
                           {"content-encoding": "gzip"})


def interim(exchange):
    """An interim reply comes first."""
    exchange.connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
    return exchange.answer(200, body_of(exchange))


def unasked_continue(exchange):
    """100 and 102, which nobody asked for."""
    exchange.connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = body_of(exchange)
    exchange.connection.send(b"HTTP/1.1 102 Processing\r\n\r\n" * 3)
    return exchange.answer(200, body)


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("form", [http_1_0, http_1_0_chunked, chunked, packed, interim,
                                  unasked_continue])
def test_forms_of_answers(agent, server, tmp_path, form, compression):
    """Understood at once: nothing is sent twice."""
    loggen(tmp_path / "a.log", LINES)
    server.always(form)
    run = agent(config(server.url, tmp_path, output__compression=compression)).run_once()
    assert_all(server)
    assert server.duplicates == 0
    assert run.ledger["documents"]["created"] == LINES


@pytest.mark.parametrize("form", [http_1_0_cut, packed_and_cut])
def test_answers_that_are_cut(agent, server, tmp_path, form):
    """Outcome unknown: the same bytes again, answered 409."""
    loggen(tmp_path / "a.log", LINES)
    server.script(form)
    run = agent(config(server.url, tmp_path)).run_once()
    assert_all(server)
    first, second = server.bulks
    assert first.body == second.body
    assert run.ledger["documents"]["duplicate"] == LINES


# ---- connections that end


def test_keep_alive_closed_by_the_server(agent, server, tmp_path):
    """After each answer, without saying so: no document is lost or repeated."""
    def answer_and_close(exchange):
        exchange.answer(200, body_of(exchange))
        return False
    server.always(answer_and_close)
    loggen(tmp_path / "a.log", 500)
    agent(config(server.url, tmp_path, output__bulk_max_size=20)).run_once()
    assert_all(server, 500)
    assert len(server.bulks) >= 25


def test_age_of_connections(agent, server, tmp_path):
    """A connection gives way to a new one, so that changed addresses come into use."""
    one = agent(config(server.url, tmp_path, output__connection_max_age="1s")).start()

    def another_line_on_a_third_connection():
        with open(tmp_path / "a.log", "a", encoding="ascii") as f:
            f.write("line\n")
        return server.connections >= 3
    wait_for(another_line_on_a_third_connection, 20, "a third connection", interval=0.2)
    one.stop()
    assert len(server.docs) == one.ledger["acknowledged"]["lines"]
    assert server.duplicates == 0


# ---- proxies and gateways


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_http_proxy(agent, server, tmp_path):
    """The proxy is asked for the server; what is meant for the server is not shown to CONNECT, what
    is meant for the proxy does not reach the server."""
    loggen(tmp_path / "a.log", LINES)
    with HttpProxy(credentials=basic("p:hush-pp")) as proxy:
        one = agent(config(server.url, tmp_path, output__proxy_url=proxy.url,
                           output__proxy_username="p", output__proxy_password="hush-pp",
                           output__username="u", output__password="hush-es"))
        run = one.run_once("-v")
        assert_all(server)
        assert proxy.seen and all(target.startswith(server.url) for _, target, _ in proxy.seen)
    for request in server.requests:
        assert request.headers["authorization"] == basic("u:hush-es")
        assert not [h for h in request.headers if h.startswith("proxy-")]
    assert "hush" not in run.stderr


def test_tunnel_through_an_http_proxy(agent, tmp_path):
    loggen(tmp_path / "a.log", LINES)
    ca = Authority(tmp_path / "ca")
    with FaultServer(tls=context(*ca.server())) as server, HttpProxy() as proxy:
        agent(config(server.url, tmp_path, output__proxy_url=proxy.url, output__username="u",
                     output__password="hush", output__headers={"X-Tenant": "hush"},
                     **{"output__ssl.certificate_authorities": [ca.cert]})).run_once()
        assert_all(server)
        assert all(r.headers["x-tenant"] == "hush" for r in server.requests)
        for method, target, headers in proxy.seen:
            assert (method, target) == ("CONNECT", "127.0.0.1:%d" % server.port)
            assert "hush" not in str(headers) and "authorization" not in headers


@pytest.mark.parametrize("trust", ["file", "files", "fingerprint"])
@pytest.mark.parametrize("to_server", ["plain", "tls"])
def test_https_proxy(agent, tmp_path, to_server, trust):
    """TLS to the proxy, and within it to the server; both are trusted by the same CA."""
    loggen(tmp_path / "a.log", LINES)
    ca = Authority(tmp_path / "ca")
    options = {
        "file": {"certificate_authorities": [ca.cert]},
        "files": {"certificate_authorities": [Authority(tmp_path / "other").cert, ca.cert]},
        "fingerprint": {"ca_trusted_fingerprint": ca.fingerprint},
    }[trust]
    certificate, key = ca.server()
    tls = context(chain(certificate + ".chain", certificate, ca.cert), key)
    with FaultServer(tls=tls if to_server == "tls" else None) as server, HttpProxy(
            basic("p:hush"), tls=tls) as proxy:
        agent(config(server.url, tmp_path, output__proxy_url=proxy.url, output__proxy_username="p",
                     output__proxy_password="hush",
                     **{"output__ssl." + k: v for k, v in options.items()})).run_once()
        assert_all(server)
        assert {method for method, _, _ in proxy.seen} == (
            {"CONNECT"} if to_server == "tls" else {"GET", "POST"})


def test_https_proxy_that_is_not_trusted(agent, server, tmp_path):
    """Nothing passes it; the reason is told."""
    loggen(tmp_path / "a.log", LINES)
    ca, other = Authority(tmp_path / "ca"), Authority(tmp_path / "other")
    with HttpProxy(tls=context(*other.server())) as proxy:
        one = agent(config(server.url, tmp_path, output__proxy_url=proxy.url,
                           **{"output__ssl.certificate_authorities": [ca.cert]})).start()
        one.wait_log(r"health: output failed: .*certificate")
        one.stop()
        assert not server.requests and not proxy.seen
        assert one.ledger["dead_lettered"]["lines"] == 0


def test_socks_proxy(agent, server, tmp_path):
    """Names are looked up by the proxy: this one exists nowhere else."""
    loggen(tmp_path / "a.log", LINES)
    with SocksProxy() as proxy:
        agent(config("http://es.invalid:%d" % server.port, tmp_path,
                     output__proxy_url=proxy.url)).run_once()
        assert_all(server)
        assert set(proxy.seen) == {(3, b"es.invalid")}


def test_proxy_that_refuses(agent, server, tmp_path):
    """Wrong credentials for the proxy: nothing is dead-lettered, the reason is told."""
    loggen(tmp_path / "a.log", LINES)
    with HttpProxy(credentials=basic("p:right")) as proxy:
        one = agent(config(server.url, tmp_path, output__proxy_url=proxy.url,
                           output__proxy_username="p", output__proxy_password="wrong")).start()
        one.wait_log(r"the proxy refuses .*\(407\)")
        one.stop()
        assert not server.requests
        assert one.ledger["dead_lettered"]["lines"] == 0


def test_environment_has_no_say(agent, server, tmp_path):
    loggen(tmp_path / "a.log", LINES)
    agent(config(server.url, tmp_path), env={name: "http://127.0.0.1:1" for name in (
        "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy")}).run_once()
    assert_all(server)


@pytest.mark.parametrize("where", ["path", "host"])
def test_gateway_with_a_prefix(agent, server, tmp_path, where):
    loggen(tmp_path / "a.log", LINES)
    with Gateway("/es/a", server.port) as gateway:
        if where == "path":
            options = config(gateway.url, tmp_path, output__path="es/a/")
        else:
            options = config(gateway.url + "/es/a/", tmp_path)
        one = agent(options)
        code, out, err = one.command("test", "output")
        assert code == OK, out + err
        one.run_once()
        assert_all(server)
        assert all(target.startswith("/es/a/") for _, target in gateway.seen)


def test_headers(agent, server, tmp_path):
    loggen(tmp_path / "a.log", LINES)
    agent(config(server.url, tmp_path, output__headers={"X-Tenant": "north", "X-Empty": ""})
          ).run_once()
    for request in server.requests:
        assert request.headers["x-tenant"] == "north" and request.headers["x-empty"] == ""


# ---- names


@pytest.fixture
def namespace(tmp_path):
    reason = dns.why_not()
    if reason is not None:
        pytest.skip(reason)
    with dns.Namespace(tmp_path) as one:
        yield one


@pytest.mark.parametrize("mode", ["servfail", "nxdomain", "silent"])
def test_name_server_that_fails(agent, namespace, tmp_path, monkeypatch, mode):
    """The name is named, nothing else waits for it, and all is shipped when it is found."""
    loggen(tmp_path / "a.log", LINES)
    namespace.mode = mode
    monkeypatch.setattr(wherry, "BINARY", namespace.wrapper(wherry.BINARY))
    server = FaultServer()
    namespace.inside(server.start)
    try:
        one = agent(config("http://es.test:%d" % server.port, tmp_path,
                           output__connect_timeout="1s"))
        code, out, err = one.command("test", "output")
        assert code == FAILED and re.search(r"[Rr]esolv", out + err), out + err
        run = one._spawn(["run", "--once", "-c", one.config])
        one.wait_log(r"[Rr]esolv")
        namespace.mode = "good"
        one._wait(run, 60)
        assert run.code == OK
        assert_all(server)
    finally:
        server.stop()


def test_stop_does_not_wait_for_a_name_server(agent, namespace, tmp_path, monkeypatch):
    """A look-up under way is left behind."""
    loggen(tmp_path / "a.log", LINES)
    namespace.mode = "silent"
    monkeypatch.setattr(wherry, "BINARY", namespace.wrapper(wherry.BINARY))
    one = agent(config("http://es.test:9200", tmp_path, shutdown_timeout="100ms"))
    run = one._spawn(["run", "-c", one.config])
    wait_for(lambda: namespace.asked, what="a look-up")
    one.stop(deadline=1.8)  # the resolver itself would take 4 s
    assert run.ledger["in_flight"]["lines"] == LINES


def test_address_that_changes(agent, namespace, tmp_path, monkeypatch):
    """The name leads elsewhere: new connections go there once the old ones are of age, although the
    old server still answers."""
    monkeypatch.setattr(wherry, "BINARY", namespace.wrapper(wherry.BINARY))
    old = FaultServer()
    namespace.inside(old.start)
    new = FaultServer(host="127.0.0.2", port=old.port)
    namespace.inside(new.start)
    try:
        one = agent(config("http://es.test:%d" % old.port, tmp_path,
                           output__connection_max_age="1s"))
        run = one._spawn(["run", "-c", one.config])

        def a_line_for(server):
            def more():
                with open(tmp_path / "a.log", "a", encoding="ascii") as f:
                    f.write("line\n")
                return server.docs
            return more
        wait_for(a_line_for(old), 20, "a line at the old address", interval=0.2)
        namespace.address = "127.0.0.2"
        wait_for(a_line_for(new), 90, "a line at the new address", interval=0.2)
        one.stop()
        assert len(old.docs) + len(new.docs) == run.ledger["acknowledged"]["lines"]
    finally:
        old.stop()
        new.stop()


# ---- presets


@pytest.mark.slow
def test_latency(agent, server, tmp_path):
    """From the line in the file to the server in 100 ms, for nine lines of ten."""
    log = tmp_path / "a.log"
    log.write_text("first\n")
    one = agent(config(server.url, tmp_path, output__preset="latency")).start()
    wait_for(lambda: len(server.docs) == 1, what="the first line")
    took = []
    for n in range(30):
        begin = time.monotonic()
        with open(log, "a", encoding="ascii") as f:
            f.write("line %d\n" % n)
        wait_for(lambda: len(server.docs) == n + 2, what="the line", interval=0.001)
        took.append(time.monotonic() - begin)
        time.sleep(0.05 + (n % 7) / 100)  # lines of people, at no fixed distance
    one.stop()
    assert sorted(took)[26] < 0.1 * TIME_SCALE, sorted(took)
