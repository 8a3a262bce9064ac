"""The Elasticsearch client under pressure: a target that refuses holds up no other, the pace follows
the server, ids where they cannot be ours."""

import os
import shutil
import threading
import urllib.parse

import fault_server as fs
import pytest
from proxy import Swallow
from tools import loggen
from waiting import TIME_SCALE, wait_for
from wherry import FAST_RETRY, NOT_ALL, OK, base_config

BLOCK = (403, "cluster_block_exception", "index [x] blocked by: [FORBIDDEN/8/index write (api)];")


def stream(dataset):
    return "logs-%s-default" % dataset


def ten_inputs(server, tmp_path, **more):
    """One file, one data stream each, and metrics beside them."""
    config = base_config(server.url, [tmp_path / "d0.log"], "d0", **{**FAST_RETRY, **more})
    config["inputs"] += [{"paths": [str(tmp_path / ("d%d.log" % n))], "dataset": "d%d" % n,
                          "id": "d%d" % n} for n in range(1, 10)]
    config.update({"metrics.enabled": True, "metrics.period": "1s"})
    return config


def refuse_stream(server, blocked, name, outcome=BLOCK):
    server.always(fs.bulk_reply(
        lambda n, a: outcome if a.index == name and blocked.is_set() else None))


# ---- back-pressure by target


def metric_samples(server):
    return sum(i.startswith("metrics-") for i, _ in list(server.docs))


def test_one_blocked_stream_among_ten(agent, server, tmp_path):
    """The blocked one has by far the most to ship. While it is blocked all that is written to the
    other nine arrives, twice, and samples of the metrics keep coming; after the block nothing is
    missing."""
    blocked = threading.Event()
    blocked.set()
    refuse_stream(server, blocked, stream("d3"))
    others = [n for n in range(10) if n != 3]
    loggen(tmp_path / "d3.log", 40000, writer="w3", size=500, burst=1000)  # 20 MB
    one = agent(ten_inputs(server, tmp_path)).start()
    one.wait_log(r'"logs-d3-default": blocked for writing')
    for round_ in (1, 2):
        samples = metric_samples(server)
        for n in others:
            loggen(tmp_path / ("d%d.log" % n), 3000, writer="w%d" % n, burst=100,
                   start_seq=1 + 3000 * (round_ - 1))
        for n in others:
            wait_for(lambda n=n: len(server.documents(stream("d%d" % n))) == 3000 * round_,
                     30, "all of d%d" % n)
        # two periods of at least four sets
        wait_for(lambda: metric_samples(server) >= samples + 8, 30, "samples of the metrics")
        assert blocked.is_set() and server.documents(stream("d3")) == []
    sent = sum(len(r.body) for r in server.bulks if stream("d3") in r.path)
    assert sent < 40 << 20, "%d bytes were sent to a target that refuses" % sent
    blocked.clear()
    wait_for(lambda: len(server.documents(stream("d3"))) == 40000, 60, "what waited")
    one.wait_log(r'"logs-d3-default": accepts documents again')
    assert one.stop() == OK
    for n in range(10):
        messages = server.messages(stream("d%d" % n))
        assert len(messages) == len(set(messages)) == (40000 if n == 3 else 6000)
    assert one.ledger["dead_lettered"]["lines"] == 0
    assert one.ledger["documents"]["duplicate"] == 0


def test_reading_stops_for_a_blocked_stream(agent, server, tmp_path):
    """What is read for it is bounded, however long its files are."""
    blocked = threading.Event()
    blocked.set()
    refuse_stream(server, blocked, stream("d3"))
    loggen(tmp_path / "d3.log", 60000, writer="w3", size=500, burst=1000)  # 30 MB
    loggen(tmp_path / "d1.log", 20000, writer="w1", size=500, burst=1000)
    one = agent(ten_inputs(server, tmp_path, output__workers=2)).start()
    wait_for(lambda: len(server.documents(stream("d1"))) == 20000, 60, "all of d1")
    one.wait_log(r"blocked for writing")
    assert one.stop() == OK
    read = one.ledger.inputs["d3"]["read"]["bytes"]
    assert read < 12 << 20, "%d bytes were read for it" % read


def test_end_with_items_kept(agent, server, tmp_path):
    """What is kept at the end is not acknowledged: the next life ships it, once."""
    blocked = threading.Event()
    blocked.set()
    refuse_stream(server, blocked, stream("generic"))
    loggen(tmp_path / "a.log", 500)
    one = agent(base_config(server.url, [tmp_path / "a.log"], shutdown_timeout="500ms",
                            **FAST_RETRY)).start()
    one.wait_log(r"blocked for writing")
    assert one.stop() == OK
    assert server.documents() == []
    blocked.clear()
    one.start()
    server.wait_docs(500)
    assert one.stop() == OK
    assert server.duplicates == 0


def test_drain_waits_for_items_kept(agent, server, tmp_path):
    """A clean end waits shutdown_timeout for what a target refused a moment ago."""
    loggen(tmp_path / "a.log", 500)
    server.script(fs.bulk_reply(lambda n, a: 429 if n < 3 else None),
                  fs.bulk_reply(lambda n, a: 429))
    one = agent(base_config(server.url, [tmp_path / "a.log"], shutdown_timeout="20s",
                            output__backoff__init="300ms", output__backoff__max="600ms")).start()
    wait_for(lambda: len(server.docs) >= 497, what="a first answer")
    assert one.stop() == OK
    assert len(server.docs) == 500
    assert one.ledger["acknowledged"]["lines"] == 500


# ---- pace


def test_413_is_remembered_by_the_reader(agent, server, tmp_path):
    """After the first refusals batches are made as small as the server takes them."""
    loggen(tmp_path / "a.log", 4000, size=300)
    server.always(fs.limit_body(100000))
    one = agent(base_config(server.url, [tmp_path / "a.log"], **FAST_RETRY)).start()
    server.wait_docs(4000)
    refused = sum(r.answered == 413 for r in server.bulks)
    with open(tmp_path / "a.log", "a") as f:
        f.writelines("more %d %s\n" % (n, "x" * 300) for n in range(4000))
    server.wait_docs(8000)
    assert one.stop() == OK
    assert sum(r.answered == 413 for r in server.bulks) == refused


def test_retry_after_of_items(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 20)

    def step(exchange):
        answer = exchange.apply(lambda n, a: 429 if n == 3 else None)
        return exchange.answer(200, exchange.bulk_body(answer), {"Retry-After": "2"})
    server.script(step)
    agent(base_config(server.url, [tmp_path / "a.log"], **FAST_RETRY)).run_once()
    first, second = server.bulks
    assert len(second.ids) == 1
    assert second.time - first.time >= 2


# ---- content types


def test_content_type_refused(agent, server, tmp_path):
    """Something on the way takes no application/x-ndjson."""
    loggen(tmp_path / "a.log", 50)

    def step(exchange):
        if exchange.request.headers["content-type"] == "application/x-ndjson":
            exchange.read_body()
            return exchange.answer(406, {"error": "Content-Type header [application/x-ndjson] is "
                                         "not supported", "status": 406})
        return fs.well_behaved()(exchange)
    server.always(step)
    one = agent(base_config(server.url, [tmp_path / "a.log"], **FAST_RETRY))
    one.run_once()
    assert len(server.docs) == 50
    assert sum(r.answered == 406 for r in server.bulks) == 1


# ---- several hosts


def test_hosts_share_the_load_and_one_dies(agent, server, tmp_path):
    """Two of three are there, later another two."""
    servers = [fs.FaultServer().start() for _ in range(2)]
    try:
        config = base_config(server.url, [tmp_path / "*.log"], output__bulk_max_bytes="64KiB",
                             **FAST_RETRY)
        config["output.elasticsearch"]["hosts"] = [server.url] + [s.url for s in servers]
        servers[1].pause()
        loggen(tmp_path / "a.log", 6000, writer="a")
        one = agent(config).start()
        count = lambda: sum(len(s.docs) for s in (server, *servers))  # noqa: E731
        wait_for(lambda: count() == 6000, 30, "the first file")
        assert len(server.docs) > 300 and len(servers[0].docs) > 300
        one.wait_log("%s: .*trying again" % servers[1].url)
        servers[1].start()
        one.wait_log("%s: works again|health: output ok" % servers[1].url)
        servers[0].pause()
        loggen(tmp_path / "b.log", 6000, writer="b")
        wait_for(lambda: count() >= 12000, 30, "the second file")
        assert servers[1].docs
        assert one.stop() == OK
        messages = [m for s in (server, *servers) for m in s.messages()]
        assert len(set(messages)) == 12000
    finally:
        for one_server in servers:
            one_server.stop()


# ---- ids


def test_ids_taken_by_a_copy_of_this_host(agent, server, tmp_path):
    """path.data is put back to an older state and the log goes on differently: where nothing can
    have been sent before by this registry, a 409 is no acknowledgement."""
    def lines(first, last, word):
        return "".join("%s %06d %s\n" % (word, n, "x" * 990) for n in range(first, last))

    def write(word):
        log.write_text(lines(0, 1000, "both") + lines(1000, 12000, word))
    log = tmp_path / "a.log"
    log.write_text(lines(0, 1000, "both"))
    config = base_config(server.url, [log], output__index="copies-%{+yyyy.MM.dd}", **FAST_RETRY)
    one = agent(config)
    one.run_once()
    data = os.path.join(one.directory, "data")
    shutil.copytree(data, data + ".copy")
    write("first")
    one.run_once()
    assert len(server.docs) == 12000
    shutil.rmtree(data)
    os.rename(data + ".copy", data)
    write("other")
    run = one.run_once()
    others = {int(m.split()[1]) for m in server.messages() if m.startswith("other")}
    # what this registry may have sent itself, as far as it knows: 4 MiB beyond what it shipped
    assert others >= set(range(1000 + 5000, 12000))
    assert len(server.docs) == 12000 + len(others)
    assert one.log_lines("found their ids taken by others")
    assert run.ledger["acknowledged"]["lines"] == 11000
    server.docs.clear()
    log.write_text(log.read_text() + lines(12000, 12100, "other"))
    one.run_once()  # goes on with the new generation where it was
    assert sorted(m.split()[1] for m in server.messages()) == ["%06d" % n
                                                               for n in range(12000, 12100)]


def test_ids_made_by_the_server(agent, server, tmp_path):
    server.ids_optional = True
    loggen(tmp_path / "a.log", 300)
    server.script(fs.bulk_reply([429, None, 503]))
    config = base_config(server.url, [tmp_path / "a.log"], output__ids="auto", **FAST_RETRY)
    config.update({"metrics.enabled": True, "metrics.period": "1s"})
    one = agent(config).start()
    wait_for(lambda: len(server.documents(stream("generic"))) == 300
             and any(i.startswith("metrics-") for i, _ in list(server.docs)), what="all")
    assert one.stop() == OK
    assert len(set(server.messages(stream("generic")))) == 300
    assert {id_ for request in server.bulks for id_ in request.ids} == {None}


@pytest.mark.elastic
@pytest.mark.slow
@pytest.mark.parametrize("verify", [True, False])
def test_lost_answer_and_rollover(agent, elastic, dataset, tmp_path, verify):
    """Documents are taken, their answer is lost, the stream rolls over: asked before they are sent
    again nothing comes twice. Without asking the ids are those of another backing index."""
    name = stream(dataset)
    log = tmp_path / "a.log"
    loggen(log, 2500, writer="w1", size=100)
    with Swallow(urllib.parse.urlsplit(elastic.url).port) as middle:
        one = agent(base_config(middle.url, [log], dataset,
                                output__verify_before_resend=verify, **FAST_RETRY)).start()
        elastic.wait_count(name, 2500)
        middle.lose.set()
        loggen(log, 2500, writer="w1", size=100, start_seq=2501)
        assert middle.lost.wait(30)
        taken = elastic.count(name) - 2500
        assert taken > 0
        elastic.call("POST", "/%s/_rollover" % name)
        middle.lose.clear()
        middle.closed.clear()
        loggen(log, 100, writer="w1", size=100, start_seq=5001)
        wait_for(lambda: elastic.count(name) >= 5100 + (0 if verify else taken), 30, "all the rest",
                 interval=0.2)
        assert one.stop() == OK
    messages = [source["message"] for _, source, _ in elastic.all(name)]
    assert len(set(messages)) == 5100
    assert len(messages) == (5100 if verify else 5100 + taken)
    assert any("/_search" in line for line in middle.seen) == verify
    assert one.ledger["acknowledged"]["lines"] == 5100
    assert verify or one.ledger["documents"]["resent"] >= taken, "what may be twice is counted"


def time_series_template(elastic, dataset):
    elastic.call("PUT", "/_index_template/e2e-" + urllib.parse.quote(dataset), {
        "index_patterns": [stream(dataset)], "priority": 500, "data_stream": {},
        "template": {"settings": {"index.mode": "time_series", "index.routing_path": ["message"],
                                  "number_of_replicas": 0},
                     "mappings": {"properties": {
                         "@timestamp": {"type": "date"},
                         "message": {"type": "keyword", "time_series_dimension": True}}}}})


@pytest.mark.elastic
def test_time_series_takes_no_ids(agent, elastic, dataset, tmp_path):
    """A real time_series data stream makes its ids itself: found out by the first answer, told
    once, nothing dead-lettered."""
    time_series_template(elastic, dataset)
    loggen(tmp_path / "a.log", 3000, size=100)
    config = base_config(elastic.url, [tmp_path / "a.log"], dataset, metadata=[],
                         output__bulk_max_bytes="64KiB", **FAST_RETRY)
    one = agent(config)
    run = one.run_once()
    elastic.call("POST", "/%s/_refresh" % stream(dataset))
    assert elastic.count(stream(dataset)) == 3000
    assert run.ledger["dead_lettered"]["lines"] == 0
    assert len(one.log_lines("takes no ids of ours")) == 1
    assert run.ledger["documents"]["resent"] <= 3000


@pytest.mark.elastic
def test_time_series_conflict(agent, elastic, dataset, tmp_path):
    """A time_series stream takes lines of the same text and millisecond for one and the same: 409
    without an id of ours is an acknowledgement, counted."""
    time_series_template(elastic, dataset)
    (tmp_path / "a.log").write_text("the same\n" * 500)
    config = base_config(elastic.url, [tmp_path / "a.log"], dataset, metadata=[], **FAST_RETRY)
    run = agent(config).run_once()
    documents = run.ledger["documents"]
    assert documents["created"] < 500 and documents["created"] + documents["duplicate"] == 500
    assert run.ledger["acknowledged"]["lines"] == 500
    assert run.ledger["dead_lettered"]["lines"] == 0
    elastic.call("POST", "/%s/_refresh" % stream(dataset))
    assert elastic.count(stream(dataset)) == documents["created"]


def test_ids_of_the_server(agent, elastic, dataset, tmp_path):
    """ids: auto sends none; a real Elasticsearch makes them."""
    loggen(tmp_path / "a.log", 300)
    config = base_config(elastic.url, [tmp_path / "a.log"], dataset, output__ids="auto")
    agent(config).run_once()
    elastic.wait_count(stream(dataset), 300)
    ids = [id_ for id_, _, _ in elastic.all(stream(dataset))]
    assert len(set(ids)) == 300
    assert all(len(id_) == 20 for id_ in ids), "Elasticsearch's own have 20 characters"


# ---- all at once


def test_a_million_documents(agent, sink, tmp_path):
    """Items refused for now at 1e-4 and for good at 1e-5, a connection cut every 50 requests: all
    found or dead-lettered, none twice, none altered, little sent more than once."""
    lines = int(1000000 / TIME_SCALE)
    sink.faults(item429=1e-4, item400=1e-5 * TIME_SCALE, cut_every=50, seed=11)
    loggen(tmp_path / "a.log", lines, size=150, burst=1000)
    run = agent(base_config(sink.url, [tmp_path / "a.log"], output__backoff__init="100ms")).run_once(
        deadline=300, allowed=[OK, NOT_ALL])
    stats = sink.stats()
    dead = run.ledger["dead_lettered"]["lines"]
    assert stats["unique"] + dead == lines, stats
    assert stats["repeated_lines"] == 0 and stats["altered"] == 0, stats
    assert run.ledger["acknowledged"]["lines"] == lines - dead
    assert dead > 0
    # what a cut request took is sent again and answered 409
    assert stats["docs"] - stats["status"]["409"] <= 1.05 * lines
