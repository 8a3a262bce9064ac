"""What a real Elasticsearch refuses, and why: each row is brought about on the server itself, seen by
the agent, and where it can be cured, cured. Nothing is lost, nothing comes twice."""

import urllib.parse

import pytest
from elastic import Node
from proxy import Mangler
from tools import loggen
from waiting import holds_for, wait_for
from wherry import FAST_RETRY, NOT_ALL, OK, base_config

pytestmark = pytest.mark.elastic

LINES = 300


def config(url, tmp_path, dataset, **more):
    return base_config(url, [tmp_path / "*.log"], dataset, **{"shutdown_timeout": "5s",
                                                              **FAST_RETRY, **more})


def stream(dataset):
    return "logs-%s-default" % dataset


def template(elastic, dataset, properties=None, dynamic=True, **settings):
    """One for this data set alone; properties and dynamic: of what the input adds."""
    elastic.call("PUT", "/_index_template/" + stream(dataset), {
        "index_patterns": [stream(dataset)], "priority": 500, "data_stream": {},
        "template": {"settings": {"number_of_replicas": 0, **settings},
                     "mappings": {"date_detection": False, "properties": {
                         "@timestamp": {"type": "date"}, "message": {"type": "text"},
                         "fields": {"dynamic": dynamic, "properties": properties or {}}}}}})


def assert_messages(elastic, name, count):
    messages = [source["message"] for _, source, _ in elastic.all(name)]
    assert len(messages) == len(set(messages)) == count


# ---- documents that cannot be taken


# what the template says; the fields of the documents that it refuses; the type of its errors
BAD = {
    "mapping_conflict": ({"properties": {"n": {"type": "long"}}}, {"n": "abc"},
                         "document_parsing_exception"),
    "object_for_scalar": ({"properties": {"n": {"type": "long"}}}, {"n": {"x": "1"}},
                          "document_parsing_exception"),
    "strict_mapping": ({"dynamic": "strict"}, {"n": "1"}, "strict_dynamic_mapping_exception"),
    "field_limit": ({"index.mapping.total_fields.limit": 40},
                    {"n": {"f%d" % n: "x" for n in range(40)}}, "document_parsing_exception"),
    "depth_limit": ({"index.mapping.depth.limit": 4},
                    {"n": {"a": {"b": {"c": {"d": {"e": "x"}}}}}}, "document_parsing_exception"),
    "bad_date": ({"properties": {"when": {"type": "date"}}}, {"when": "yesterday"},
                 "document_parsing_exception"),
    "bad_address": ({"properties": {"who": {"type": "ip"}}}, {"who": "10.1.2"},
                    "document_parsing_exception"),
    "long_keyword": ({"properties": {"n": {"type": "keyword"}}}, {"n": "k" * 32767},
                     "document_parsing_exception"),
}


@pytest.mark.parametrize("case", BAD)
def test_documents_that_the_mapping_refuses(agent, elastic, dataset, tmp_path, case):
    """They are dead-lettered with the server's reason, each sent once; the others are there."""
    rules, fields, kind = BAD[case]
    template(elastic, dataset, **rules)
    loggen(tmp_path / "a.log", LINES)
    loggen(tmp_path / "bad.txt", 10, writer="bad")
    options = config(elastic.url, tmp_path, dataset)
    options["inputs"].append({"paths": [str(tmp_path / "bad.txt")], "dataset": dataset,
                              "id": "bad", "fields": fields})
    one = agent(options)
    run = one.run_once(allowed=[NOT_ALL])
    elastic.wait_count(stream(dataset), LINES)
    assert run.ledger["dead_lettered"]["lines"] == 10
    assert run.ledger["documents"]["resent"] == 0
    code, out, _ = one.command("deadletter", "list")
    assert code == OK and out.count(kind) == 10, out
    assert_messages(elastic, stream(dataset), LINES)


# ---- streams that cannot be written, until somebody mends it


def block(name, value):
    def change(elastic, index):
        elastic.call("PUT", "/%s/_settings" % index, {name: value})
    return change


def close(elastic, index):
    elastic.call("POST", "/%s/_close?wait_for_active_shards=0" % index)


def reopen(elastic, index):
    elastic.call("POST", "/%s/_open" % index)


# how to refuse, how to mend it, what is told
REFUSALS = {
    "write_block": (block("index.blocks.write", True), block("index.blocks.write", None),
                    "degraded.*blocked for writing"),
    "read_only": (block("index.blocks.read_only", True), block("index.blocks.read_only", None),
                  "degraded.*blocked for writing"),
    "flood_stage": (block("index.blocks.read_only_allow_delete", True),
                    block("index.blocks.read_only_allow_delete", None),
                    "degraded.*disk is nearly full"),
    "closed": (close, reopen, "failed.*the index is closed"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_index_that_refuses_for_a_while(agent, elastic, dataset, tmp_path, case):
    """The index waits, told in one line; another beside it goes on; all is there in the end."""
    refuse, mend, told = REFUSALS[case]
    index, other = "isp-%s" % dataset, "isp-%s_other" % dataset
    loggen(tmp_path / "a.log", LINES)
    options = config(elastic.url, tmp_path, dataset, output__index="isp-%{[data_stream.dataset]}")
    options["inputs"].append({"paths": [str(tmp_path / "b.txt")], "dataset": dataset + "_other"})
    one = agent(options).start()
    elastic.wait_count(index, LINES)
    refuse(elastic, index)
    loggen(tmp_path / "a.log", LINES, start_seq=LINES + 1)
    line = one.wait_log("health: output " + told)
    assert '"%s"' % index in line
    loggen(tmp_path / "b.txt", LINES, writer="w2")
    elastic.wait_count(other, LINES)
    mend(elastic, index)
    elastic.wait_count(index, 2 * LINES)
    one.wait_log("health: output ok")
    assert one.stop() == OK
    assert one.ledger["dead_lettered"]["lines"] == 0
    assert one.ledger["documents"]["duplicate"] == 0
    assert_messages(elastic, index, 2 * LINES)


def test_pipeline_that_is_missing(agent, elastic, dataset, tmp_path):
    loggen(tmp_path / "a.log", LINES)
    one = agent(config(elastic.url, tmp_path, dataset, output__pipeline="p-" + dataset)).start()
    one.wait_log("health: output failed.*its ingest pipeline does not exist")
    elastic.call("PUT", "/_ingest/pipeline/p-" + dataset, {"processors": []})
    elastic.wait_count(stream(dataset), LINES)
    assert one.stop() == OK
    assert one.ledger["dead_lettered"]["lines"] == 0


def test_template_that_is_missing(agent, elastic, tmp_path, dataset):
    """No plain index is made in place of the data stream."""
    name = "logs-%s-other.space" % dataset.replace("_", "")[:40]
    loggen(tmp_path / "a.log", LINES)
    options = config(elastic.url, tmp_path, dataset.replace("_", "")[:40], namespace="other.space")
    elastic.call("PUT", "/_index_template/" + name, {
        "index_patterns": [name], "priority": 600, "template": {}})  # no data stream
    one = agent(options).start()
    one.wait_log('health: output failed: "%s": no data-stream template' % name)
    holds_for(lambda: not elastic.call("GET", "/_resolve/index/" + name + "*")["indices"], 0.5)
    elastic.call("PUT", "/_index_template/" + name, {
        "index_patterns": [name], "priority": 600, "data_stream": {}, "template": {
            "settings": {"number_of_replicas": 0}}})
    elastic.wait_count(name, LINES)
    assert one.stop() == OK
    assert one.ledger["dead_lettered"]["lines"] == 0


# ---- bodies that arrive otherwise than they left


def cut_gzip(body):
    return body[: len(body) * 2 // 3]


def no_gzip(body):
    """The server closes the connection without an answer."""
    return b"no gzip at all" + body


def half_lines(body):
    """The last line has no end."""
    return body[:-1]


@pytest.mark.parametrize("change, compression", [
    (cut_gzip, "gzip"), (no_gzip, "gzip"), (half_lines, "none")], ids=lambda v: getattr(
        v, "__name__", v))
def test_body_that_is_mangled_on_its_way(agent, elastic, dataset, tmp_path, change, compression):
    """400 for the whole, or the connection closed without an answer: it is not the documents' fault,
    none is dead-lettered, and all are there once when the way is clear."""
    loggen(tmp_path / "a.log", LINES)
    with Mangler(urllib.parse.urlsplit(elastic.url).port, change) as middle:
        one = agent(config(middle.url, tmp_path, dataset, output__compression=compression)).start()
        wait_for(lambda: middle.mangled >= 4, what="tries")
        middle.change = None
        elastic.wait_count(stream(dataset), LINES)
        assert one.stop() == OK
    assert one.ledger["dead_lettered"]["lines"] == 0
    assert one.ledger["acknowledged"]["lines"] == LINES
    assert_messages(elastic, stream(dataset), LINES)


def test_connections_cut_at_random(agent, elastic, dataset, tmp_path):
    """Requests cut before, within and after their body, answers cut: each document is there once."""
    loggen(tmp_path / "a.log", 5000)
    with Mangler(urllib.parse.urlsplit(elastic.url).port, cuts=True) as middle:
        one = agent(config(middle.url, tmp_path, dataset, output__bulk_max_size=100))
        run = one.run_once()
        assert middle.mangled >= 10
    elastic.wait_count(stream(dataset), 5000)
    assert run.ledger["acknowledged"]["lines"] == 5000
    assert_messages(elastic, stream(dataset), 5000)


# ---- limits of a node


@pytest.fixture(scope="module")
def small_node():
    """Bodies of a megabyte at most, half of that under way; its own, since both need a start."""
    with Node("e2e-small", 9290, settings={"http.max_content_length": "1mb",
                                           "indexing_pressure.memory.limit": "600kb"}) as one:
        one.start(data="wipe").elastic.create_templates()
        yield one


def cluster(elastic, **settings):
    elastic.call("PUT", "/_cluster/settings", {
        "persistent": {name.replace("__", "."): value for name, value in settings.items()}})


def test_request_larger_than_the_server_takes(agent, small_node, dataset, tmp_path):
    """413 without a body, then 429 for what is under way: halved, and the size kept; a document of
    two megabytes is a dead letter, whole."""
    loggen(tmp_path / "a.log", 9000, size=300)
    with open(tmp_path / "a.log", "a", encoding="ascii") as f:
        f.write("y" * (2 << 20) + "\n")
    loggen(tmp_path / "a.log", 1000, size=300, start_seq=9001)
    one = agent(config(small_node.url, tmp_path, dataset, output__bulk_max_bytes="4MiB",
                       input__max_bytes="4MiB"))
    run = one.run_once(allowed=[NOT_ALL])
    small_node.elastic.wait_count(stream(dataset), 10000)
    assert run.ledger["dead_lettered"] == {"bytes": (2 << 20) + 1, "lines": 1}
    assert one.log_lines(r"takes no request of \d+ bytes \(413\)")
    assert_messages(small_node.elastic, stream(dataset), 10000)


def test_more_at_once_than_the_server_holds(agent, small_node, dataset, tmp_path):
    """Indexing pressure, 429 for whole requests: size and number shrink until they are taken."""
    loggen(tmp_path / "a.log", 12000, size=300)
    one = agent(config(small_node.url, tmp_path, dataset, output__bulk_max_bytes="900KiB",
                       output__workers=4))
    run = one.run_once()
    assert one.log_lines(r"429")
    small_node.elastic.wait_count(stream(dataset), 12000)
    assert run.ledger["dead_lettered"]["lines"] == 0
    assert_messages(small_node.elastic, stream(dataset), 12000)


# the setting, its value that refuses, what is told
LIMITS = {
    "breaker": ("network.breaker.inflight_requests.limit", "1kb",
                r"degraded.*\(429\) \(circuit_breaking_exception\)"),
    "read_only_cluster": ("cluster.blocks.read_only", True,
                          r"degraded.*blocked for writing"),
    "shard_limit": ("cluster.max_shards_per_node", 1, "failed.*shard limit"),
}


@pytest.mark.parametrize("case", LIMITS)
def test_cluster_that_refuses_for_a_while(agent, small_node, dataset, tmp_path, case):
    name, value, told = LIMITS[case]
    elastic = small_node.elastic
    elastic.call("PUT", "/seed-%s" % dataset.replace("_", "-"))  # so that a shard is there
    loggen(tmp_path / "a.log", LINES)
    cluster(elastic, **{name: value})
    try:
        one = agent(config(small_node.url, tmp_path, dataset)).start()
        one.wait_log("health: output " + told)
        holds_for(lambda: not one.log_lines("dead letter"), 0.5)
    finally:
        cluster(elastic, **{name: None})
    elastic.wait_count(stream(dataset), LINES)
    one.wait_log("health: output ok")
    assert one.stop() == OK
    assert one.ledger["dead_lettered"]["lines"] == 0
    assert_messages(elastic, stream(dataset), LINES)


# ---- a secured node


def test_401_before_the_body_is_sent(agent, secure_node, dataset, tmp_path):
    """The node refuses a wrong password while megabytes are still to come: the 401 is read all the
    same, and with the right password all is there once."""
    lines = 12000
    loggen(tmp_path / "a.log", lines, size=1000)
    (tmp_path / "password").write_text("wrong\n")
    one = agent(config(secure_node.url, tmp_path, dataset, output__username="ship",
                       output__password_file="password", output__bulk_max_bytes="11MiB",
                       **{"output__ssl.certificate_authorities": [secure_node.ca]})).start()
    line = one.wait_log("health: output failed")
    assert "401" in line
    (tmp_path / "password").write_text("shippw\n")
    secure_node.elastic.wait_count(stream(dataset), lines, deadline=90)
    assert one.stop() == OK
    assert one.ledger["dead_lettered"]["lines"] == 0
    assert one.ledger["documents"]["duplicate"] == 0


def test_user_without_any_right(agent, secure_node, dataset, tmp_path):
    """403 for the whole request: the stream waits; with a role all is there, no restart."""
    elastic = secure_node.elastic
    user = dataset.replace("_", "-")
    elastic.call("PUT", "/_security/user/" + user, {"password": "secret-" + user, "roles": []})
    loggen(tmp_path / "a.log", LINES)
    one = agent(config(secure_node.url, tmp_path, dataset, output__username=user,
                       output__password="secret-" + user,
                       **{"output__ssl.certificate_authorities": [secure_node.ca]})).start()
    line = one.wait_log(r"health: output failed.*403")
    assert '"%s"' % stream(dataset) in line
    elastic.call("PUT", "/_security/user/" + user, {"roles": ["wherry_writer"]})
    elastic.wait_count(stream(dataset), LINES)
    assert one.stop() == OK
    assert one.ledger["dead_lettered"]["lines"] == 0
