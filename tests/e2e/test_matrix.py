"""The same behaviour on each server of the matrix (make e2e-matrix). On the servers with security
the agent comes as a user that may only write, but where a test says otherwise."""

import re
import time
import uuid

import matrix
import pytest
from elastic import ElasticError, NotHere, by_generation
from proxy import Mangler, Swallow
from seqline import Checker
from tools import Loggen, loggen
from waiting import holds_for, wait_for
from wherry import NOT_ALL, OK

pytestmark = pytest.mark.matrix

LINES = 2000
RATE = 1000


@pytest.fixture(scope="module", params=matrix.chosen())
def server(request):
    """One after the other: each is started empty and stopped after its last test."""
    one = matrix.Server(request.param)
    with one.node as node:
        try:
            node.start(data="wipe")
        except NotHere as e:
            pytest.skip(str(e))
        if one.kind.streams:
            node.elastic.create_templates()
        yield one


def found_lines(server, dataset):
    """Every document of a data set, in a checker."""
    checker = Checker()
    for _, source, _ in server.elastic.all(server.target(dataset)):
        checker.add(source["message"])
    return checker


def assert_nothing_lost(run):
    for side in ("dead_lettered", "abandoned", "in_flight"):
        assert run.ledger[side]["lines"] == 0, side


def make_ready(one, *words):
    """Runs `wherry setup`; {what: what became of it} of its lines."""
    code, out, err = one.command("setup", *words)
    assert code == OK, out + err
    return dict(re.findall(r"^(.+): (created|changed|replaced|unchanged)$", out, re.M))


def test_setup(agent, server, dataset, tmp_path):
    """An empty server is made ready, once: the second time nothing changes. Logs and metrics go into
    what was made, as who was made for it where there are users, and nowhere else."""
    namespace = "n" + uuid.uuid4().hex[:10]
    options = server.config(tmp_path, dataset, admin=True, metrics__enabled=server.kind.streams,
                            metrics__sets=["cpu"], metrics__period="1s", namespace=namespace)
    admin = agent(options, name="admin")
    made = make_ready(admin)
    assert len(made) >= 3 and set(made.values()) == {"created"}
    assert set(make_ready(admin).values()) == {"unchanged"}
    shipper = server.shipper(admin, tmp_path)
    loggen(tmp_path / "a.log", LINES, writer="w1")
    one = agent(server.with_login(options, shipper)).start()
    name = server.target(dataset).replace("-default", "-" + namespace)
    server.elastic.wait_count(name, LINES)
    types = server.elastic.mapping(name)
    assert types["message"] in ("text", "match_only_text") and types["log.offset"] == "long"
    if server.kind.streams:
        metrics = "metrics-system.cpu-" + namespace
        wait_for(lambda: server.elastic.count(metrics) >= 2, 60, "documents in " + metrics,
                 interval=0.2)
        assert server.elastic.mapping(metrics)["system.cpu.total.norm.pct"] in (
            "scaled_float", "float")
        server.elastic.call("POST", "/%s/_rollover" % name)
        loggen(tmp_path / "a.log", LINES, writer="w1", start_seq=LINES + 1)
        server.elastic.wait_count(name, 2 * LINES)
    assert one.stop() == OK
    assert_nothing_lost(one.last)
    if server.kind.security:
        other = server.as_shipper(shipper)
        for method, path, body in (("GET", "/%s/_search" % name, None), ("DELETE", "/" + name, None),
                                   ("PUT", "/elsewhere/_doc/1", {"a": 1}),
                                   ("PUT", "/%s/_settings" % name, {"index.hidden": True})):
            with pytest.raises(ElasticError) as refused:
                other.call(method, path, body)
            assert refused.value.status == 403, (method, path)


def test_logs(agent, server, dataset, tmp_path):
    """Every line once, as it was written, under ids made of the place in the file."""
    server.prepare(dataset)
    loggen(tmp_path / "a.log", LINES, writer="w1")
    one = agent(server.config(tmp_path, dataset, output__compression="gzip"))
    run = one.run_once()
    server.elastic.wait_count(server.target(dataset), LINES)
    found_lines(server, dataset).assert_exactly({"w1": LINES})
    documents = [(id_, source) for id_, source, _ in server.elastic.all(server.target(dataset))]
    lines, = by_generation(documents).values()
    assert "".join(text + "\n" for _, text in lines) == (tmp_path / "a.log").read_text()
    assert run.ledger["documents"]["created"] == LINES
    assert run.ledger["acknowledged"]["lines"] == LINES


def test_metrics(agent, server, tmp_path):
    """Three samples of two sets. Where there are no data streams the metrics wait, told in one
    line, no index is made in their place, and logs are not held up."""
    namespace = "n" + uuid.uuid4().hex[:10]
    names = ["metrics-system.%s-%s" % (s, namespace) for s in ("cpu", "memory")]
    dataset = "beside_" + namespace
    server.prepare(dataset)
    options = server.config(tmp_path, dataset, shutdown_timeout="100ms")
    options.update({"metrics.enabled": True, "metrics.period": "1s", "namespace": namespace,
                    "metrics.sets": ["cpu", "memory"]})
    one = agent(options).start()
    if not server.kind.streams:
        one.wait_log(r'health: output failed: "metrics-.*no data-stream template matches')
        loggen(tmp_path / "a.log", 100)
        server.elastic.wait_count(server.target(dataset), 100)
        assert not server.elastic.call("GET", "/_cat/indices/metrics-*?format=json")
        pytest.skip(matrix.NO_STREAMS + ": metrics wait, told, and hold up nothing")
    for name in names:
        wait_for(lambda n=name: server.elastic.count(n) >= 3, 60, "three documents in " + name,
                 interval=0.2)
    assert one.stop() == OK
    for name in names:
        ids = [id_ for id_, _, _ in server.elastic.all(name)]
        assert len(ids) == len(set(ids))
    cpu = server.elastic.search(names[0])[0]
    assert 0 <= cpu["system"]["cpu"]["total"]["norm"]["pct"] <= 1
    assert server.elastic.mapping(names[1])["system.memory.total"] == "long"


def test_index_by_name(agent, server, dataset, tmp_path):
    """A plain index with the day in its name; who may only write to streams may not do this."""
    loggen(tmp_path / "a.log", LINES, writer="w1")
    name = "isp-%s-%s" % (dataset, time.strftime("%Y.%m.%d", time.gmtime()))
    one = agent(server.config(tmp_path, dataset, admin=True,
                              output__index="isp-%{[data_stream.dataset]}-%{+yyyy.MM.dd}"))
    one.run_once()
    assert name.endswith(time.strftime("%Y.%m.%d", time.gmtime())), "midnight passed: run it again"
    server.elastic.wait_count(name, LINES)


def test_output_is_told(agent, server, dataset, tmp_path):
    """`test output` names product and version, whatever GET / answers, and the right to write."""
    server.prepare(dataset)
    one = agent(server.config(tmp_path, dataset))
    code, out, err = one.command("test", "output")
    assert code == OK, out + err
    assert "%s %s" % (server.kind.kind, server.kind.version) in out, out
    assert "write to" in out, out


def test_repeats(agent, server, dataset, tmp_path):
    """Requests and answers cut at random: what was stored already is answered 409 and counted as a
    duplicate; no document is there twice."""
    server.prepare(dataset)
    loggen(tmp_path / "a.log", LINES, writer="w1")
    with Mangler(server.port, cuts=True, upstream_tls=server.tls) as middle:
        one = agent(server.config(tmp_path, dataset, url=middle.url, output__bulk_max_size=50))
        run = one.run_once()
        assert middle.mangled >= 5
    server.elastic.wait_count(server.target(dataset), LINES)
    found_lines(server, dataset).assert_exactly({"w1": LINES})
    documents = run.ledger["documents"]
    assert documents["duplicate"] > 0, "documents of which the answer was lost"
    assert documents["created"] + documents["duplicate"] == LINES
    assert_nothing_lost(run)


def test_part_applied(agent, server, dataset, tmp_path):
    """Requests spoilt at their end: 400 for the whole. Some servers have stored a part of it by
    then: what is sent again is answered 409 there. It is not the documents' fault, each is there
    once."""
    server.prepare(dataset)
    loggen(tmp_path / "a.log", LINES, writer="w1", size=300)
    stored = []

    def spoil(body):
        if len(stored) == 2 or body.count(b"\n") < LINES:
            return body
        stored.append(len(body))
        return body + b'{"nonsense":{}}\n{}\n'
    with Mangler(server.port, spoil, upstream_tls=server.tls) as middle:
        one = agent(server.config(tmp_path, dataset, url=middle.url, output__workers=1))
        run = one.run_once()
    assert stored, "a request was spoilt"
    server.elastic.wait_count(server.target(dataset), LINES)
    found_lines(server, dataset).assert_exactly({"w1": LINES})
    documents = run.ledger["documents"]
    assert documents["created"] + documents["duplicate"] == LINES
    if server.kind.in_parts:
        assert documents["duplicate"] > 0, "a part was stored"
    assert_nothing_lost(run)


def test_dead_letters(agent, server, dataset, tmp_path):
    """What the mapping refuses is kept with the server's reason, once; the others are there. Once
    the mapping is mended, what was kept is replayed."""
    server.prepare(dataset, {"n": {"type": "long"}})
    loggen(tmp_path / "a.log", LINES, writer="w1")
    loggen(tmp_path / "bad.txt", 10, writer="bad")
    options = server.config(tmp_path, dataset)
    options["inputs"].append({"paths": [str(tmp_path / "bad.txt")], "dataset": dataset,
                              "id": "bad", "fields": {"n": "abc"}})
    one = agent(options)
    run = one.run_once(allowed=[NOT_ALL])
    server.elastic.wait_count(server.target(dataset), LINES)
    assert run.ledger["dead_lettered"]["lines"] == 10
    code, out, _ = one.command("deadletter", "list")
    assert code == OK and out.count(server.kind.bad_document) == 10, out
    server.prepare(dataset, {"n": {"type": "keyword"}})
    server.rollover(dataset)
    code, out, err = one.command("deadletter", "replay")
    assert code == OK, out + err
    server.elastic.wait_count(server.target(dataset), LINES + 10)
    found_lines(server, dataset).assert_exactly({"w1": LINES, "bad": 10})


def test_busy_429(agent, server, dataset, tmp_path):
    """More at once than the server holds: 429 for requests and for items; size and number shrink
    until it is taken, nothing is lost and nothing there twice. A server that works off requests in
    parts may slow down in place of refusing."""
    server.prepare(dataset)
    lines = 60000
    loggen(tmp_path / "a.log", lines, writer="w1", size=300)
    one = agent(server.config(tmp_path, dataset, output__bulk_max_bytes="4MiB", output__workers=8,
                              output__compression="none"))
    run = one.run_once()
    if not server.kind.in_parts:
        assert one.log_lines(r"429|busy"), one.stderr[-2000:]
        assert run.ledger["documents"]["resent"] > 0
    server.elastic.wait_count(server.target(dataset), lines)
    found_lines(server, dataset).assert_exactly({"w1": lines})
    assert_nothing_lost(run)


def test_breaker_429(agent, server, dataset, tmp_path):
    """No memory for any request for a while: told, nothing dead-lettered, and all is there once it
    is over. What is worked off in parts is not counted there, so requests are taken whole here."""
    server.prepare(dataset)
    loggen(tmp_path / "a.log", LINES, writer="w1")
    settings = {"network.breaker.inflight_requests.limit": "1kb"}
    if server.kind.in_parts:
        settings["rest.incremental_bulk"] = False
    server.elastic.call("PUT", "/_cluster/settings", {"persistent": settings})
    try:
        one = agent(server.config(tmp_path, dataset)).start()
        one.wait_log(r"health: output degraded.*\(429\) \(circuit_breaking_exception\)")
        holds_for(lambda: not one.log_lines("dead letter"), 0.5)
    finally:
        server.elastic.call("PUT", "/_cluster/settings",
                            {"persistent": dict.fromkeys(settings)})
    server.elastic.wait_count(server.target(dataset), LINES)
    one.wait_log("health: output ok")
    assert one.stop() == OK
    assert_nothing_lost(one.last)
    found_lines(server, dataset).assert_exactly({"w1": LINES})


def test_flood_stage(agent, server, dataset, tmp_path):
    """The index is blocked as by a disk that is nearly full, 429 by item: it waits, told in one
    line, and goes on by itself."""
    name = server.prepare(dataset)
    loggen(tmp_path / "a.log", LINES, writer="w1")
    one = agent(server.config(tmp_path, dataset)).start()
    server.elastic.wait_count(name, LINES)
    block = "index.blocks.read_only_allow_delete"
    server.elastic.call("PUT", "/%s/_settings" % name, {block: True})
    loggen(tmp_path / "a.log", LINES, writer="w1", start_seq=LINES + 1)
    line = one.wait_log("health: output degraded.*disk is nearly full")
    assert '"%s"' % name in line
    server.elastic.call("PUT", "/%s/_settings" % name, {block: None})
    server.elastic.wait_count(name, 2 * LINES)
    one.wait_log("health: output ok")
    assert one.stop() == OK
    assert_nothing_lost(one.last)
    found_lines(server, dataset).assert_exactly({"w1": 2 * LINES})


def test_rollover(agent, server, dataset, tmp_path):
    """Two rollovers under load: each line is in one of three indices."""
    name = server.prepare(dataset)
    one = agent(server.config(tmp_path, dataset, output__linger="20ms")).start()
    writer = Loggen(tmp_path / "a.log", 6 * RATE, writer="w1", rate=RATE, burst=10)
    try:
        for count in (RATE, 3 * RATE):
            wait_for(lambda c=count: server.elastic.count(name) >= c, 60, "%d lines" % count,
                     interval=0.1)
            server.rollover(dataset)
        writer.wait()
    finally:
        writer.kill()
    server.elastic.wait_count(name, 6 * RATE)
    found_lines(server, dataset).assert_exactly({"w1": 6 * RATE})
    assert len(server.backing(dataset)) == 3
    assert {index for _, _, index in server.elastic.all(name)} == set(server.backing(dataset))
    assert one.stop() == OK
    assert_nothing_lost(one.last)


def test_rollover_after_lost_answer(agent, server, dataset, tmp_path):
    """Documents are stored, their answer is lost, the target rolls over: with verify_before_resend
    they are asked for before they are sent again. This takes the right to read."""
    name = server.prepare(dataset)
    loggen(tmp_path / "a.log", LINES, writer="w1", size=100)
    with Swallow(server.port, upstream_tls=server.tls) as middle:
        one = agent(server.config(tmp_path, dataset, url=middle.url, admin=True,
                                  output__verify_before_resend=True)).start()
        server.elastic.wait_count(name, LINES)
        middle.lose.set()
        loggen(tmp_path / "a.log", LINES, writer="w1", size=100, start_seq=LINES + 1)
        assert middle.lost.wait(30)
        assert server.elastic.count(name) > LINES
        server.rollover(dataset)
        middle.lose.clear()
        middle.closed.clear()
        server.elastic.wait_count(name, 2 * LINES)
        assert one.stop() == OK
    found_lines(server, dataset).assert_exactly({"w1": 2 * LINES})
    assert_nothing_lost(one.last)


def test_agent_killed(agent, server, dataset, tmp_path):
    """kill -9 of the agent under load, twice: nothing is missing, nothing there twice."""
    name = server.prepare(dataset)
    one = agent(server.config(tmp_path, dataset, output__linger="20ms")).start()
    writer = Loggen(tmp_path / "a.log", 5 * RATE, writer="w1", rate=RATE, burst=10)
    try:
        for count in (RATE, 2 * RATE):
            wait_for(lambda c=count: server.elastic.count(name) >= c, 60, "%d lines" % count,
                     interval=0.05)
            one.kill()
            one.start()
        writer.wait()
    finally:
        writer.kill()
    server.elastic.wait_count(name, 5 * RATE)
    assert one.stop() == OK
    found_lines(server, dataset).assert_exactly({"w1": 5 * RATE})


def test_server_killed(agent, server, dataset, tmp_path):
    """kill -9 of the server under load and a new start: nothing that it acknowledged is missing,
    nothing is there twice, and what was written meanwhile arrives."""
    name = server.prepare(dataset)
    one = agent(server.config(tmp_path, dataset, output__backoff__max="1s")).start()
    writer = Loggen(tmp_path / "a.log", 10 * RATE, writer="w1", rate=RATE, burst=10)
    try:
        wait_for(lambda: server.elastic.count(name) >= RATE, 60, "a first thousand", interval=0.1)
        server.node.kill()
        server.node.start()
        writer.wait()
    finally:
        writer.kill()
    server.elastic.wait_count(name, 10 * RATE, deadline=120)
    found_lines(server, dataset).assert_exactly({"w1": 10 * RATE})
    one.wait_log("health: output ok")
    assert one.stop() == OK
    assert_nothing_lost(one.last)


def test_no_template(agent, server, dataset, tmp_path):
    """Without a data-stream template the stream waits, and no plain index is made in its place."""
    if not server.kind.streams:
        pytest.skip(matrix.NO_STREAMS)
    name = server.target(dataset)
    server.elastic.call("PUT", "/_index_template/" + name, {
        "index_patterns": [name], "priority": 600, "template": {}})  # no data stream
    loggen(tmp_path / "a.log", LINES, writer="w1")
    one = agent(server.config(tmp_path, dataset)).start()
    one.wait_log('health: output failed: "%s": no data-stream template' % name)
    holds_for(lambda: not server.elastic.exists("/" + name), 0.5)
    server.elastic.call("PUT", "/_index_template/" + name, {
        "index_patterns": [name], "priority": 600, "data_stream": {}, "template": {
            "settings": {"number_of_replicas": 0}}})
    server.elastic.wait_count(name, LINES)
    assert one.stop() == OK
    assert_nothing_lost(one.last)


def test_user_without_the_right(agent, server, dataset, tmp_path):
    """403 for each item: the stream waits, told, nothing is dead-lettered; with the right all is
    there, without a restart."""
    if not server.kind.security:
        pytest.skip("this node has no security")
    user = "u" + uuid.uuid4().hex[:10]
    password = "Secret-%s-9" % uuid.uuid4().hex
    server.grant(user, password, ["logs-elsewhere-*"])
    with pytest.raises(ElasticError) as refused:
        server.as_user(user, password).call("GET", "/%s/_search" % server.target(dataset))
    assert refused.value.status == 403
    loggen(tmp_path / "a.log", LINES, writer="w1")
    one = agent(server.config(tmp_path, dataset, output__username=user,
                              output__password=password)).start()
    line = one.wait_log("health: output failed.*may not write")
    assert '"%s"' % server.target(dataset) in line
    holds_for(lambda: one.running and not one.log_lines("dead letter"), 0.5)
    server.grant(user, password, ["logs-elsewhere-*", server.target(dataset)])
    server.elastic.wait_count(server.target(dataset), LINES)
    one.wait_log("health: output ok")
    assert one.stop() == OK
    assert_nothing_lost(one.last)
