"""What the server may answer, and what becomes of the lines then: never lost, never twice."""

import json
import time

import fault_server as fs
import pytest
from tools import loggen
from waiting import TIME_SCALE, holds_for, wait_for
from wherry import FAILED, FAST_RETRY, NOT_ALL, OK, base_config

SHARDS = ("Validation Failed: 1: this action would add [1] shards, but this cluster currently has "
          "[23]/[1] maximum normal shards open;")


def config(server, tmp_path, **more):
    return base_config(server.url, [tmp_path / "*.log"], **{**FAST_RETRY, **more})


def assert_all_once(server, count):
    assert len(server.docs) == count
    assert len(set(server.messages())) == count


# ---- items


def test_only_failed_items_are_sent_again(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 10)
    server.script(fs.bulk_reply([None, 429, None, 429, 503]))
    run = agent(config(server, tmp_path)).run_once()
    first, *later = server.bulks
    assert len(first.ids) == 10
    resent = [id_ for request in later for id_ in request.ids]
    assert sorted(resent) == sorted([first.ids[1], first.ids[3], first.ids[4]])
    assert_all_once(server, 10)
    assert server.duplicates == 0
    assert run.ledger["documents"]["resent"] == 3
    assert run.ledger["documents"]["created"] == 10


@pytest.mark.parametrize("outcome", [
    (429, "es_rejected_execution_exception", "rejected execution of coordinating operation"),
    (429, "circuit_breaking_exception", "[parent] Data too large"),
    (429, "cluster_block_exception", "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage "
     "exceeded flood-stage watermark, index has read-only-allow-delete block];"),
    (503, "unavailable_shards_exception", "[x][0] primary shard is not active"),
    (403, "cluster_block_exception", "index [x] blocked by: [FORBIDDEN/8/index write (api)];"),
    (403, "security_exception", "action [indices:data/write/bulk[s]] is unauthorized"),
    (404, "index_not_found_exception", "no such index [x]"),
    (400, "index_closed_exception", "closed"),
    (400, "validation_exception", SHARDS),
    (500, "fail_processor_exception", "boom"),
], ids=lambda o: "%d_%s" % o[:2])
def test_item_that_is_refused_for_a_while(agent, server, tmp_path, outcome):
    """Not the document's fault: it is sent again until it is taken, and nothing is dead-lettered,
    even if all items are refused twice."""
    loggen(tmp_path / "a.log", 20)
    refuse = fs.bulk_reply(lambda n, a: outcome)
    server.script(refuse, refuse)
    run = agent(config(server, tmp_path)).run_once(deadline=180)
    assert_all_once(server, 20)
    assert run.ledger["dead_lettered"]["lines"] == 0
    assert run.ledger["acknowledged"]["lines"] == 20


@pytest.mark.parametrize("type_", [
    "document_parsing_exception", "mapper_parsing_exception", "strict_dynamic_mapping_exception",
    "illegal_argument_exception"])
def test_bad_documents_among_good_ones(agent, server, tmp_path, type_):
    """A tenth is dead-lettered; each is sent once."""
    loggen(tmp_path / "a.log", 200)
    server.always(fs.reject_messages(r"^w1 \d{11}0 ", (400, type_, "it is bad")))
    run = agent(config(server, tmp_path)).run_once(allowed=[NOT_ALL])
    assert_all_once(server, 180)
    assert run.ledger["dead_lettered"]["lines"] == 20
    sent = [id_ for request in server.bulks for id_ in request.ids]
    assert len(sent) == len(set(sent)) == 200


def test_mixed_reply(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 8)
    server.script(fs.bulk_reply([201, 400, 409, 429, 503, None, 429, 409]))
    run = agent(config(server, tmp_path)).run_once(allowed=[NOT_ALL])
    first, *later = server.bulks
    again = sorted(id_ for request in later for id_ in request.ids)
    assert again == sorted(first.ids[n] for n in (3, 4, 6))
    documents = run.ledger["documents"]
    assert (documents["created"], documents["duplicate"], documents["dead_lettered"]) == (5, 2, 1)


# ---- whole requests


@pytest.mark.parametrize("step", [
    fs.close_without_answer(apply=True), fs.cut_json(), fs.short_body(), fs.html(200, apply=True),
    fs.reply(200, apply=True), fs.wrong_count(-1), fs.wrong_count(1), fs.huge(apply=True),
    fs.reply(502, "<html>bad gateway</html>", {"content-type": "text/html"}, apply=True),
    fs.reply(504, apply=True),
], ids=["close", "cut_json", "short_body", "html", "empty", "item_less", "item_more", "huge",
        "502_html", "504"])
def test_applied_but_not_told(agent, server, tmp_path, step):
    """The documents were taken though no answer says so: sent again, 409, nothing twice."""
    loggen(tmp_path / "a.log", 50)
    server.script(step)
    run = agent(config(server, tmp_path)).run_once()
    assert_all_once(server, 50)
    assert server.duplicates == 50
    assert run.ledger["documents"]["duplicate"] == 50
    assert run.ledger["acknowledged"]["lines"] == 50


@pytest.mark.parametrize("step", [
    fs.close_without_answer(), fs.reset_mid_body(500), fs.html(200), fs.reply(503),
    fs.reply(503, "OpenSearch Security not initialized.", {"content-type": "text/plain"}),
    fs.error_reply(503, "cluster_block_exception"),
    fs.error_reply(429, "es_rejected_execution_exception"),
    fs.error_reply(429, "circuit_breaking_exception", headers={"Retry-After": "1"}),
    fs.reply(408), fs.reply(500), fs.html(502), fs.reply(504),
], ids=["close", "reset", "html", "503_empty", "503_text", "503_block", "429", "429_retry_after",
        "408", "500", "502", "504"])
def test_not_applied(agent, server, tmp_path, step):
    loggen(tmp_path / "a.log", 50)
    server.script(step, step)
    agent(config(server, tmp_path)).run_once()
    assert_all_once(server, 50)
    assert server.duplicates == 0


def test_slow_answer_is_waited_for(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 50)
    server.script(fs.slow(bytes_per_second=4, pieces=8))
    agent(config(server, tmp_path)).run_once()
    assert_all_once(server, 50)
    assert len(server.bulks) == 1


def test_too_large_is_halved_and_remembered(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 1000)
    server.always(fs.limit_body(40000))
    agent(config(server, tmp_path)).run_once()
    assert_all_once(server, 1000)
    last = server.bulks[-1]
    assert last.answered == 200
    assert sum(r.answered == 413 for r in server.bulks) < 20


def test_single_document_too_large(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 20)
    with open(tmp_path / "a.log", "a") as f:
        f.write("x" * 60000 + "\n")
    server.always(fs.limit_body(40000))
    run = agent(config(server, tmp_path)).run_once(allowed=[NOT_ALL])
    assert_all_once(server, 20)
    assert run.ledger["dead_lettered"] == {"bytes": 60001, "lines": 1}


def test_poison_document_is_isolated(agent, server, tmp_path):
    """A 400 for the whole body: halved until the document is found that causes it."""
    loggen(tmp_path / "a.log", 64)

    def poisoned(exchange):
        exchange.read_body()
        if any("000000000037 " in m for m in exchange.request.messages):
            return fs.error_reply(400, "illegal_argument_exception", "Malformed")(exchange)
        return fs.well_behaved()(exchange)
    server.always(poisoned)
    run = agent(config(server, tmp_path)).run_once(allowed=[NOT_ALL])
    assert_all_once(server, 63)
    assert run.ledger["dead_lettered"]["lines"] == 1


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_lose_nothing(agent, server, tmp_path, status):
    loggen(tmp_path / "a.log", 50)
    server.always(fs.reply(status, "Unauthorized", {"content-type": "text/plain"}))
    one = agent(config(server, tmp_path)).start()
    server.wait_bulks(1)
    wait_for(lambda: one.log_lines(str(status)), what="the log names the status")
    assert one.running
    assert one.stop() == OK
    assert one.ledger["dead_lettered"]["lines"] == 0
    assert one.ledger["in_flight"]["lines"] == 50
    server.always(None)
    one.start()
    server.wait_docs(50)


# ---- outages


def test_absent_at_start(agent, tmp_path):
    """It stays up, says so once and then ever more seldom, and ships everything later."""
    later = fs.FaultServer()
    later.start()
    later.pause()
    loggen(tmp_path / "a.log", 1000)
    one = agent(config(later, tmp_path)).start()
    wait_for(lambda: one.log_lines(r" (warn|error) "), what="it says so")
    holds_for(lambda: one.running, 2)
    assert len(one.log_lines(r" (warn|error) ")) <= 4, one.stderr
    loggen(tmp_path / "b.log", 1000, writer="w2")
    with later:
        later.wait_docs(2000)
        assert one.stop() == OK
        assert one.ledger["acknowledged"]["lines"] == 2000


def test_gone_and_back(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 1000)
    one = agent(config(server, tmp_path)).start()
    server.wait_docs(1000)
    for n in range(2, 5):
        server.pause()
        loggen(tmp_path / "a.log", 1000, start_seq=1000 * n - 999)
        wait_for(lambda: len(one.log_lines(r" (warn|error) ")) >= 1, what="it says so")
        server.start()
        server.wait_docs(1000 * n)
    assert_all_once(server, 4000)


def test_memory_is_bounded_while_the_server_is_away(agent, server, tmp_path):
    """What cannot be sent stays in the file."""
    server.always(fs.black_hole())
    loggen(tmp_path / "a.log", 200000, size=500, burst=1000)
    one = agent(config(server, tmp_path, shutdown_timeout="100ms")).start()
    server.wait_bulks(4)
    seen = []
    holds_for(lambda: seen.append(one.memory_kib()) is None, 1)
    assert one.stop() == OK
    assert one.ledger["read"]["bytes"] < 20 << 20
    if TIME_SCALE == 1:  # sanitizers have memory of their own
        assert max(seen) < 32 << 10, "%d KiB" % max(seen)


def test_kill_between_taken_and_answered(agent, server, tmp_path):
    """The agent dies when the server has the documents but has not said so: 409, nothing twice."""
    loggen(tmp_path / "a.log", 500)
    server.script(fs.black_hole(apply=True))
    one = agent(config(server, tmp_path)).start()
    wait_for(lambda: len(server.docs) > 0, what="documents taken")
    taken = len(server.docs)
    one.kill()
    one.start()
    wait_for(lambda: server.duplicates >= taken, what="the same ids are sent again")
    server.wait_docs(500)
    assert_all_once(server, 500)
    assert one.stop() == OK
    assert one.ledger["documents"]["duplicate"] == server.duplicates


# ---- requests


def test_requests_are_as_servers_like_them(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 3000)
    agent(config(server, tmp_path, output__bulk_max_bytes="64KiB", output__workers=2)).run_once()
    assert_all_once(server, 3000)
    assert len(server.bulks) > 5
    for request in server.bulks:
        assert request.method == "POST"
        assert request.path == "/logs-generic-default/_bulk", "one target: it stands in the URL"
        assert "content-length" in request.headers and "expect" not in request.headers
        assert request.headers["content-type"] == "application/x-ndjson"
        assert len(request.body) <= 64 << 10
        assert request.query.get("require_data_stream") == "true"
        assert '"_index"' not in request.body.decode()
    used = {r.connection for r in server.bulks}
    assert len(used) <= 2, "connections are kept"


def test_old_server_is_not_asked_for_what_it_does_not_know(agent, tmp_path):
    loggen(tmp_path / "a.log", 10)
    with fs.FaultServer(version="7.17.29") as server:
        agent(config(server, tmp_path)).run_once()
        assert_all_once(server, 10)
        assert all("require_data_stream" not in r.query for r in server.bulks)


def test_without_template_nothing_is_sent(agent, tmp_path):
    """On a server that does not know require_data_stream a plain index would be made."""
    loggen(tmp_path / "a.log", 10)
    with fs.FaultServer(version="7.17.29") as server:
        server.templates = False
        one = agent(config(server, tmp_path)).start()
        one.wait_log("wherry setup")
        assert not server.docs and not server.bulks
        assert one.stop() == OK


def test_templates_that_are_not_shown(agent, tmp_path):
    """Without the right to see them it ships, and tells once what may become of it."""
    loggen(tmp_path / "a.log", 10)
    with fs.FaultServer(version="7.17.29") as server:
        server.templates = None
        one = agent(config(server, tmp_path))
        one.run_once()
        assert_all_once(server, 10)
    line, = one.log_lines("does not show its templates")
    assert "logs-generic-default: " in line and "403" in line


def test_compression_level(agent, server, tmp_path):
    """A higher one makes smaller requests of the same documents."""
    loggen(tmp_path / "a.log", 2000)
    sizes = []
    for level in (1, 9):
        directory = tmp_path / str(level)
        directory.mkdir()
        agent(config(server, tmp_path, output__compression="gzip",
                     output__compression_level=level), directory=directory).run_once()
        sizes.append(sum(len(request.wire) for request in server.bulks) - sum(sizes))
    assert sizes[1] < 0.95 * sizes[0]


def test_gzip(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 2000)
    agent(config(server, tmp_path, output__compression="gzip")).run_once()
    assert_all_once(server, 2000)
    for request in server.bulks:
        assert request.headers["content-encoding"] == "gzip"
        assert len(request.wire) < len(request.body) / 3


@pytest.mark.parametrize("options, header", [
    ({"output__username": "elastic", "output__password": "pä:ss"},
     "Basic ZWxhc3RpYzpww6Q6c3M="),
    ({"output__api_key": "aWQ6a2V5"}, "ApiKey aWQ6a2V5"),
])
def test_credentials(agent, tmp_path, options, header):
    loggen(tmp_path / "a.log", 10)
    with fs.FaultServer(credentials=header) as server:
        run = agent(config(server, tmp_path, **options)).run_once()
        assert_all_once(server, 10)
        assert header.split()[1] not in run.stderr and "pä:ss" not in run.stderr


def test_linger_ships_soon(agent, server, tmp_path):
    """A line is accepted within a second by default."""
    (tmp_path / "a.log").touch()
    agent(config(server, tmp_path)).start()
    for n in range(1, 4):
        start = time.monotonic()
        with open(tmp_path / "a.log", "a") as f:
            f.write("line %d\n" % n)
        server.wait_docs(n)
        assert time.monotonic() - start < 2


# ---- test output


def test_output_is_tested(agent, server):
    code, out, err = agent(base_config(server.url, ["/x"])).command("test", "output")
    assert code == OK
    assert "elasticsearch 8.19.21" in (out + err).lower() and server.url in out + err


def test_output_absent(agent):
    server = fs.FaultServer().start()
    server.stop()
    code, out, err = agent(base_config(server.url, ["/x"])).command("test", "output")
    assert code == FAILED
    assert server.url in out + err and "connect" in out + err


def test_output_wrong_credentials(agent):
    with fs.FaultServer(credentials="ApiKey right") as server:
        one = agent(base_config(server.url, ["/x"], output__api_key="d3Jvbmc="))
        code, out, err = one.command("test", "output")
    assert code == FAILED and "401" in out + err
    assert "d3Jvbmc" not in out + err


def test_output_credentials_may_not_write(agent, server):
    server.privileges = False
    server.always(fs.error_reply(403, "security_exception",
                                 "action [indices:data/write/bulk] is unauthorized for user [x]"))
    code, out, err = agent(base_config(server.url, ["/x"])).command("test", "output")
    assert code == FAILED
    assert "the privileges auto_configure and create_doc are missing on logs-generic-default" in out
    assert not server.docs


def test_output_leaves_nothing_behind(agent, server):
    agent(base_config(server.url, ["/x"])).command("test", "output")
    assert not server.docs
    assert json.dumps([r.method for r in server.requests]).count("PUT") == 0
