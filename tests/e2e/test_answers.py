"""Rows of the two decision tables that a well-run server seldom shows: answers to whole requests that
are no answers to _bulk, items of every fate in one reply, waits that the server asks for."""

import fault_server as fs
import pytest
from tools import loggen
from waiting import wait_for
from wherry import FAST_RETRY, NOT_ALL, OK, base_config

LINES = 50
STREAM = "logs-generic-default"


def config(server, tmp_path, **more):
    return base_config(server.url, [tmp_path / "*.log"], **{"shutdown_timeout": "1s", **FAST_RETRY,
                                                            **more})


def assert_all_once(server, count=LINES):
    assert len(server.docs) == count
    assert len(set(server.messages())) == count


# ---- whole requests


@pytest.mark.parametrize("status, health, why", [
    (204, "degraded", "unexpected status"), (301, "failed", "redirects"),
    (308, "failed", "redirects"), (404, "failed", r"\(404\)"), (405, "failed", "_bulk"),
    (407, "failed", "_bulk"), (408, "degraded", r"\(408\)"), (410, "failed", "_bulk"),
    (425, "degraded", r"\(425\)"), (429, "degraded", r"\(429\)"), (499, "failed", "_bulk"),
    (500, "degraded", "server error"), (502, "degraded", "server error"),
    (503, "degraded", r"\(503\)"), (504, "degraded", "server error"),
    (507, "degraded", "server error"), (999, "degraded", "unexpected status"),
])
def test_status_that_is_no_bulk_reply(agent, server, tmp_path, status, health, why):
    """Health says which and how bad; the same bytes go again, nothing is dead-lettered."""
    loggen(tmp_path / "a.log", LINES)
    answer = fs.reply(status, "no", {"content-type": "text/plain", "X-elastic-product": None})
    server.always(answer)
    one = agent(config(server, tmp_path)).start()
    one.wait_log("health: output %s.*%s" % (health, why))
    server.wait_bulks(3)
    server.always(None)
    server.wait_docs(LINES)
    one.wait_log("health: output ok")
    assert one.stop() == OK
    assert_all_once(server)
    assert server.duplicates == 0
    assert one.ledger["dead_lettered"]["lines"] == 0
    assert one.ledger["acknowledged"]["lines"] == LINES


def test_recovery_is_told_after_many_reasons(agent, server, tmp_path):
    """More changes of health in a row than are told: the end of the trouble is told all the same."""
    loggen(tmp_path / "a.log", LINES)
    server.script(*[fs.reply(status, "no") for status in (500, 503, 429, 408, 425, 204, 503)])
    one = agent(config(server, tmp_path)).start()
    server.wait_docs(LINES)
    one.wait_log("health: output ok")
    assert len(one.log_lines("health: output degraded")) == 4
    assert len(one.log_lines("health: output ok")) == 1
    assert one.stop() == OK


@pytest.mark.parametrize("status", [301, 303, 307])
def test_redirects_are_not_followed(agent, server, tmp_path, status):
    """Whoever is redirected to would be shown credentials and documents."""
    loggen(tmp_path / "a.log", LINES)
    with fs.FaultServer() as elsewhere:
        server.script(*[fs.reply(status, b"", {"location": elsewhere.url + "/_bulk"})] * 3)
        agent(config(server, tmp_path, output__username="u", output__password="p")).run_once()
        assert_all_once(server)
        assert not elsewhere.requests and elsewhere.connections == 0


@pytest.mark.parametrize("status, kind", [(406, None), (415, None),
                                          (400, "media_type_header_exception")])
def test_content_type_that_is_refused(agent, server, tmp_path, status, kind):
    """The plainer one is tried, once, and kept to."""
    loggen(tmp_path / "a.log", LINES)

    def step(exchange):
        if exchange.request.headers["content-type"] != "application/x-ndjson":
            return fs.well_behaved()(exchange)
        return (fs.error_reply(status, kind) if kind else fs.reply(status))(exchange)
    server.always(step)
    one = agent(config(server, tmp_path)).start()
    server.wait_docs(LINES)
    loggen(tmp_path / "a.log", LINES, start_seq=LINES + 1)
    server.wait_docs(2 * LINES)
    assert one.stop() == OK
    assert sum(r.answered == status for r in server.bulks) == 1
    assert one.ledger["dead_lettered"]["lines"] == 0


@pytest.mark.parametrize("status", [429, 403])
def test_wait_that_the_server_asks_for(agent, server, tmp_path, status):
    """Retry-After is honoured, although the own back-off would be much shorter."""
    loggen(tmp_path / "a.log", LINES)
    server.script(fs.reply(status, b"", {"Retry-After": "2"}))
    agent(config(server, tmp_path)).run_once()
    first, second = server.bulks
    assert second.time - first.time >= 2
    assert_all_once(server)


# ---- items


def test_items_of_every_fate(agent, server, tmp_path):
    """One reply: each item goes its own way."""
    fates = [None, 400, 404, 409, 429, 503, 413, 500, 401, 403, 302, 599,
             (429, "cluster_block_exception", "index [x] blocked by: [TOO_MANY_REQUESTS/12/x];"),
             (400, "index_closed_exception", "closed"),
             (400, "invalid_index_name_exception", "Invalid index name [x]"),
             (400, "illegal_argument_exception", "pipeline with id [x] does not exist")]
    rejected = {1, 6}
    settled = {0, 3} | rejected
    loggen(tmp_path / "a.log", len(fates) + 1)

    def mixed(exchange):
        """The last one was taken by the failure store."""
        items = exchange.apply(lambda n, a: fates[n] if n < len(fates) else None)
        items[-1]["create"]["failure_store"] = "used"
        return exchange.answer(200, {"errors": True, "items": items})
    server.script(mixed)
    one = agent(config(server, tmp_path))
    run = one.run_once(allowed=[NOT_ALL])
    first, *later = server.bulks
    assert len(first.ids) == len(fates) + 1
    again = [id_ for request in later for id_ in request.ids]
    assert sorted(again) == sorted(first.ids[n] for n in range(len(fates)) if n not in settled)
    documents = run.ledger["documents"]
    assert documents["dead_lettered"] == len(rejected)
    assert documents["duplicate"] == 1
    assert documents["created"] == len(fates) + 1 - len(rejected) - 1
    assert one.log_lines('"%s": 1 documents went to its failure store' % STREAM)
    code, out, _ = one.command("deadletter", "list")
    assert code == OK and "413" in out and "400" in out


@pytest.mark.parametrize("status", [500, 302, 418, 999])
def test_item_that_never_succeeds(agent, server, tmp_path, status):
    """An error that may be the document's own is not waited for without end: after some tries it is
    a dead letter; the others are long gone."""
    loggen(tmp_path / "a.log", LINES)
    server.always(fs.reject_messages(r"^w1 0*17 ", (status, "some_exception", "boom")))
    run = agent(config(server, tmp_path, output__backoff__max="40ms")).run_once(allowed=[NOT_ALL])
    assert_all_once(server, LINES - 1)
    assert run.ledger["dead_lettered"]["lines"] == 1
    tries = [r for r in server.bulks if any(" " not in m or m.split()[1].lstrip("0") == "17"
                                            for m in r.messages)]
    assert 5 <= len(tries) <= 12
    assert all(len(r.ids) == 1 for r in tries[1:]), "only that item"


@pytest.mark.parametrize("outcome, health", [
    ((401, "security_exception", "x"), "failed"),
    ((403, "security_exception", "x"), "failed"),
    ((403, "cluster_block_exception", "x"), "degraded"),
    ((404, "index_not_found_exception", "x"), "failed"),
    ((400, "index_closed_exception", "closed"), "failed"),
    ((400, "validation_exception", "Validation Failed: 1: this action would add [1] shards, but"),
     "failed"),
    ((400, "invalid_index_name_exception", "x"), "failed"),
    ((400, "illegal_argument_exception", "pipeline with id [x] does not exist"), "failed"),
    ((429, "cluster_block_exception", "x"), "degraded"),
], ids=lambda v: v if isinstance(v, str) else "%d_%s" % v[:2])
def test_stream_that_refuses_says_so(agent, server, tmp_path, outcome, health):
    """Health names the stream, and tells what passes by itself from what somebody must mend; when it
    is mended all is shipped."""
    loggen(tmp_path / "a.log", LINES)
    server.always(fs.bulk_reply(lambda n, a: outcome))
    one = agent(config(server, tmp_path)).start()
    one.wait_log('health: output %s: "%s"' % (health, STREAM))
    server.wait_bulks(4)
    server.always(None)
    server.wait_docs(LINES)
    wait_for(lambda: one.log_lines("health: output ok"), what="good health")
    assert one.stop() == OK
    assert one.ledger["dead_lettered"]["lines"] == 0
    assert server.duplicates == 0
