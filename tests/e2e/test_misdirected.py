"""Not the server that was meant: whatever is there refuses everything, or something else answers in
its place. Nothing is dead-lettered, health is failed, one line says why; the fix ships all."""

import threading
import urllib.parse

import fault_server as fs
import pytest
from proxy import Gateway, HttpProxy, _read_head
from tools import loggen
from waiting import wait_for
from wherry import FAST_RETRY, OK, base_config

LINES = 500


def config(url, tmp_path, dataset="generic", **more):
    return base_config(url, [tmp_path / "a.log"], dataset, shutdown_timeout="100ms",
                       **{**FAST_RETRY, **more})


def assert_told(one, where, reason):
    """Health is failed, for that reason, in one line that names the place; nothing was given up."""
    line = one.wait_log(r"error health: output failed: ")
    wait_for(lambda: one.log_lines(r"health: output failed: .*%s.*%s" % (where, reason)),
             what=lambda: "%s: %s in: %s" % (where, reason, one.stderr))
    assert len(line) < 250
    # each trouble once, and that the health follows it
    assert len(one.log_lines(r" (warn|error) ")) <= 4, one.stderr


def assert_nothing_given_up(one):
    assert one.ledger["dead_lettered"]["lines"] == 0
    assert one.ledger["acknowledged"]["lines"] == 0
    assert one.ledger["in_flight"]["lines"] == LINES


def stream(dataset):
    return "logs-%s-default" % dataset


@pytest.mark.elastic
def test_wrong_path(agent, elastic, dataset, tmp_path):
    """A real Elasticsearch does not know the path; a restart with the right one ships all."""
    loggen(tmp_path / "a.log", LINES)
    one = agent(config(elastic.url, tmp_path, dataset, output__path="nope")).start()
    assert_told(one, "%s/nope: " % elastic.url, r"is the URL right\?")
    assert one.stop() == OK
    assert_nothing_given_up(one)
    one.write_config(config(elastic.url, tmp_path, dataset))
    one.run_once()
    elastic.wait_count(stream(dataset), LINES)
    assert one.ledger["dead_lettered"]["lines"] == 0


@pytest.mark.elastic
def test_wrong_path_of_a_gateway(agent, elastic, dataset, tmp_path):
    """The gateway answers 404, until somebody puts it right; the agent goes on running."""
    loggen(tmp_path / "a.log", LINES)
    with Gateway("/es", urllib.parse.urlsplit(elastic.url).port) as gateway:
        one = agent(config(gateway.url + "/search", tmp_path, dataset)).start()
        assert_told(one, "%s/search: " % gateway.url, r"\(404\): is the URL right\?")
        assert elastic.count(stream(dataset)) == 0
        gateway.prefix = "/search"
        elastic.wait_count(stream(dataset), LINES)
        one.wait_log(r"health: output ok")
        assert one.stop() == OK
    assert one.ledger["dead_lettered"]["lines"] == 0


class Refusing(HttpProxy):
    """Answers 400 to everything, until it is mended."""

    def __init__(self):
        super().__init__()
        self.mended = threading.Event()

    def serve(self, sock):
        if self.mended.is_set():
            super().serve(sock)
            return
        _read_head(sock)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 20\r\n"
                     b"Connection: close\r\n\r\n<h1>Bad Request</h1>")


@pytest.mark.elastic
def test_proxy_that_answers_400_to_everything(agent, elastic, dataset, tmp_path):
    """From the start on; the agent goes on running."""
    loggen(tmp_path / "a.log", LINES)
    with Refusing() as proxy:
        one = agent(config(elastic.url, tmp_path, dataset, output__proxy_url=proxy.url)).start()
        assert_told(one, stream(dataset), "answers 400 to every document: does something else")
        proxy.mended.set()
        elastic.wait_count(stream(dataset), LINES)
        one.wait_log(r"health: output ok")
        assert one.stop() == OK
    assert one.ledger["dead_lettered"]["lines"] == 0
    assert one.ledger["acknowledged"]["lines"] == LINES


def test_400_to_everything_from_now_on(agent, server, tmp_path):
    """Something in between begins to answer 400 while an older request is still under way: that
    its documents are accepted says nothing about the others."""
    loggen(tmp_path / "a.log", LINES, size=500)  # four batches
    refused = threading.Event()

    def refuse(exchange):
        exchange.read_body()
        refused.set()
        return exchange.answer(400, "<h1>Bad Request</h1>", {"X-elastic-product": None})
    server.script(fs.hold(refused))
    server.always(refuse)
    one = agent(config(server.url, tmp_path, output__bulk_max_bytes="64KiB",
                       output__workers=4)).start()
    assert_told(one, "logs-generic-default", "answers 400 to every document")
    taken = len(server.docs)
    assert 0 < taken < LINES
    assert one.stop() == OK
    assert one.ledger["dead_lettered"]["lines"] == 0
    assert one.ledger["acknowledged"]["lines"] == taken
    server.always(None)
    one.start()
    server.wait_docs(LINES)
    assert one.stop() == OK
    assert one.ledger["dead_lettered"]["lines"] == 0


@pytest.mark.elastic
def test_tls_to_the_plain_port(agent, elastic, dataset, tmp_path):
    """https:// where a real Elasticsearch speaks http://."""
    loggen(tmp_path / "a.log", LINES)
    url = elastic.url.replace("http://", "https://")
    one = agent(config(url, tmp_path, dataset)).start()
    assert_told(one, "%s: " % url, r"does not speak TLS here; is it http://\?")
    assert one.stop() == OK
    assert_nothing_given_up(one)
    one.write_config(config(elastic.url, tmp_path, dataset))
    one.run_once()
    elastic.wait_count(stream(dataset), LINES)
    assert one.ledger["dead_lettered"]["lines"] == 0
