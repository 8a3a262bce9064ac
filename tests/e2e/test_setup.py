"""`wherry setup` on a real Elasticsearch: what it makes works, twice is once, and who ships by its
key can do nothing else. The test distribution has no ILM: see test_setup_products.py for that."""

import base64
import json
import os
import re
import shlex
import stat
import subprocess

import pytest
from cluster import lines
from elastic import Elastic, ElasticError
from tools import ROOT, loggen
from waiting import wait_for
from wherry import BINARY, FAILED, NOT_ALL, OK, base_config

pytestmark = pytest.mark.elastic

LINES = 100
METRICS = {"metrics.enabled": True, "metrics.period": "1s"}


def stream(dataset):
    return "logs-%s-default" % dataset


def clean(elastic):
    """Takes away whatever setup has made."""
    for kind in ("index", "component"):
        try:
            elastic.call("DELETE", "/_%s_template/wherry-*" % kind)
        except ElasticError as e:
            if e.status != 404:
                raise


@pytest.fixture
def fresh(elastic):
    """The shared node without wherry's templates, before and after."""
    clean(elastic)
    yield elastic
    clean(elastic)


def set_up(one, *words, code=OK):
    """Runs it; returns {name: what became of it}."""
    got, out, err = one.command("setup", *words)
    assert got == code, out + err
    return lines(out)


def config(node, tmp_path, dataset, **more):
    more.setdefault("setup.number_of_replicas", 0)
    return base_config(node.url, [tmp_path / "*.log"], dataset, **more)


def component(elastic, name):
    return elastic.call("GET", "/_component_template/" + name)[
        "component_templates"][0]["component_template"]


# ---- once and twice


def test_twice_is_once(agent, fresh, dataset, tmp_path):
    """The second run changes nothing: no template is another one afterwards."""
    def state():
        return [fresh.call("GET", "/_%s_template/wherry-*" % k) for k in ("index", "component")]
    one = agent(config(fresh, tmp_path, dataset, **METRICS))
    first = set_up(one)
    assert set(first.values()) - {"not needed, this server has no security"} == {"created"}
    before = state()
    second = set_up(one)
    assert set(second.values()) - {"not needed, this server has no security"} == {"unchanged"}
    assert second.keys() == first.keys()
    assert state() == before


def test_logs_and_metrics_land_in_what_was_made(agent, fresh, dataset, tmp_path):
    """Streams with our mapping: each field of the tables that a document has got its type from
    there."""
    loggen(tmp_path / "a.log", LINES)
    namespace = dataset[-10:]
    one = agent(config(fresh, tmp_path, dataset, namespace=namespace, **METRICS))
    set_up(one)
    code, out, err = one.command("test", "output")
    assert code == OK and "may write to logs-%s-%s" % (dataset, namespace) in out, out + err
    assert "may write to metrics-system.cpu-" + namespace in out
    one.start()
    logs, cpu = "logs-%s-%s" % (dataset, namespace), "metrics-system.cpu-" + namespace
    fresh.wait_count(logs, LINES)
    wait_for(lambda: fresh.count(cpu) > 0, what="metrics of cpu")
    assert one.stop() == OK
    with open(os.path.join(ROOT, "docs", "metrics.md")) as f:
        told = dict(re.findall(r"^\| `([^`]+)` \| (\w+) \|", f.read(), re.M))
    here = {"scaled_float": "float", "constant_keyword": "keyword"}  # what this node has
    mapping = fresh.mapping(cpu)
    for name, kind in told.items():
        assert mapping[name] == here.get(kind, kind), name
    assert mapping["host_name"] == "alias"
    assert fresh.mapping(logs)["log.level"] == "keyword"
    settings, = fresh.call("GET", "/%s/_settings" % logs).values()
    assert settings["settings"]["index"]["codec"] == "best_compression"
    hosts = {d["host"]["name"] for d in fresh.search(logs)}
    assert len(hosts) == 1
    by_alias = fresh.search(logs, {"term": {"host_name": hosts.pop()}}, size=LINES)
    assert len(by_alias) == LINES


# ---- what the platform's own set-up had wrong


def test_settings_anew_do_not_erase_mappings(agent, fresh, dataset, tmp_path):
    """Other settings, put anew: the mappings of the templates and of new indices are as before."""
    loggen(tmp_path / "a.log", LINES)
    one = agent(config(fresh, tmp_path, dataset))
    set_up(one)
    one.run_once()
    fresh.wait_count(stream(dataset), LINES)
    before = component(fresh, "wherry-mappings-logs"), fresh.mapping(stream(dataset))
    one.write_config(config(fresh, tmp_path, dataset, **{"setup.number_of_shards": 2}))
    changed = set_up(one)
    assert [n for n, what in changed.items() if what == "changed"] == ["wherry-settings"]
    rolled = fresh.call("POST", "/%s/_rollover" % stream(dataset))
    assert rolled["rolled_over"] and rolled["new_index"].endswith("-000002")
    assert (component(fresh, "wherry-mappings-logs"), fresh.mapping(stream(dataset))) == before
    settings = fresh.call("GET", "/%s/_settings" % rolled["new_index"])
    assert settings[rolled["new_index"]]["settings"]["index"]["number_of_shards"] == "2"


def test_rollover_while_shipping(agent, fresh, dataset, tmp_path):
    """POST stream/_rollover: what comes later lands in the new index, nothing twice, nothing lost."""
    loggen(tmp_path / "a.log", LINES)
    one = agent(config(fresh, tmp_path, dataset))
    set_up(one)
    one.start()
    fresh.wait_count(stream(dataset), LINES)
    rolled = fresh.call("POST", "/%s/_rollover" % stream(dataset))
    loggen(tmp_path / "a.log", LINES, start_seq=LINES + 1)
    fresh.wait_count(stream(dataset), 2 * LINES)
    assert one.stop() == OK
    assert fresh.count(rolled["old_index"]) == fresh.count(rolled["new_index"]) == LINES
    assert len({s["message"] for _, s, _ in fresh.all(stream(dataset))}) == 2 * LINES


def test_daily_indices_have_no_alias(agent, fresh, dataset, tmp_path):
    """Indices named by the day: our mapping, no rollover and no alias to roll over behind."""
    loggen(tmp_path / "a.log", LINES)
    prefix = "isp-" + dataset
    one = agent(config(fresh, tmp_path, dataset, output__index=prefix + "-%{+yyyy.MM.dd}"))
    made = set_up(one)
    assert "wherry-daily-settings" in made and "wherry-" + prefix in made
    one.run_once()
    fresh.wait_count(prefix + "-*", LINES)
    (name, index), = fresh.call("GET", "/%s-*" % prefix).items()
    assert re.fullmatch(prefix + r"-\d{4}\.\d\d\.\d\d", name)
    assert index["aliases"] == {} and "lifecycle" not in index["settings"]["index"]
    assert fresh.mapping(name)["log.level"] == "keyword"


def test_keywords_are_found_by_their_own_names(agent, fresh, dataset, tmp_path):
    """No field is a text with a hidden keyword: aggregations need no `.keyword`, and every document
    has the time under the one name that both its mapping and its readers use."""
    (tmp_path / "a.log").write_text("one\ntwo\n")
    one = agent(config(fresh, tmp_path, dataset, input__fields={"status": "up"}))
    set_up(one)
    one.run_once()
    fresh.wait_count(stream(dataset), 2)
    mapping = fresh.mapping(stream(dataset))
    assert mapping["@timestamp"] == "date" and mapping["timestamp"] == "alias"
    for name in ("status", "fields.status", "host.name", "log.level", "event.dataset"):
        assert mapping[name] == "keyword", name
        assert name + ".keyword" not in mapping
    answer = fresh.call("POST", "/%s/_search" % stream(dataset), {"size": 0, "aggs": {
        "by": {"terms": {"field": "fields.status"},
               "aggs": {"last": {"max": {"field": "@timestamp"}},
                        "same": {"max": {"field": "timestamp"}}}}}})
    bucket, = answer["aggregations"]["by"]["buckets"]
    assert bucket["key"] == "up" and bucket["doc_count"] == 2
    assert bucket["last"]["value"] == bucket["same"]["value"] > 0


def test_platform_by_its_variables(agent, fresh, dataset, tmp_path):
    """The platform's environment is all that setup needs: templates for its daily indices, each of
    its own name, with the one field name host_name."""
    (tmp_path / "a.log").write_text(json.dumps({
        "timestamp": "2026-11-23T01:02:03.456Z", "service_name": "radius", "log_level": "ERROR",
        "host_name": "server1", "message": "login failed", "metadata": {"user_id": 123}}) + "\n")
    one = agent(config(fresh, tmp_path, dataset, **METRICS), env={
        "ELASTICSEARCH_LOG_INDEX_PREFIX": "log-" + dataset,
        "ELASTICSEARCH_METRIC_INDEX_PREFIX": "met-" + dataset,
        "ELASTICSEARCH_INDEX_DATE_FORMAT": "YYYY.MM.dd"})
    made = set_up(one)
    assert {"wherry-log-" + dataset, "wherry-met-" + dataset, "wherry-mappings-isp-logs",
            "wherry-mappings-isp-metrics"} <= made.keys()
    one.start()
    fresh.wait_count("log-%s-*" % dataset, 1)
    wait_for(lambda: fresh.count("met-%s-*" % dataset) > 0, what="metrics")
    assert one.stop() == OK
    logs, metrics = fresh.mapping("log-%s-*" % dataset), fresh.mapping("met-%s-*" % dataset)
    assert logs["host_name"] == metrics["host_name"] == "keyword"
    assert "hostname" not in logs and "hostname" not in metrics
    assert logs["timestamp"] == metrics["timestamp"] == "date"
    assert metrics["value"] == "float" and metrics["metric_type"] == "keyword"
    for query in ("log_level:ERROR", "log_level:error", "service_name:radius", "host_name:server1",
                  "metadata.user_id:123", "service_name:radius AND message:*failed*"):
        found = fresh.search("log-%s-*" % dataset, {"query_string": {"query": query}})
        assert len(found) == 1, query


def test_nothing_to_import():
    """Logstash pipelines, dashboards and alerts of the platform's set-up could not be loaded: none
    of the kind is made or shipped, and logs arrive without them (the tests above)."""
    made = re.compile(r"_ingest/pipeline|saved_objects|alerting|logstash|ndjson")
    for product in ("elasticsearch", "opensearch", "serverless"):
        for group in ("templates", "policies", "roles"):
            done = subprocess.run([BINARY, "export", group, product, "-c",
                                   os.path.join(ROOT, "etc", "wherry.yml")],
                                  capture_output=True, text=True, timeout=60)
            assert done.returncode == OK, done.stderr
            assert json.loads(done.stdout) is not None and not made.search(done.stdout)


# ---- what is not ours


def test_foreign_template_of_the_same_name(agent, fresh, dataset, tmp_path):
    """Left alone, with the command that takes it over; that command does."""
    name = "wherry-logs-" + dataset
    theirs = {"index_patterns": ["logs-%s-*" % dataset], "priority": 501, "data_stream": {},
              "_meta": {"managed_by": "somebody"}}
    fresh.call("PUT", "/_index_template/" + name, theirs)
    one = agent(config(fresh, tmp_path, dataset))
    code, out, err = one.command("setup")
    assert code == NOT_ALL, out + err
    command = re.search(r"%s: left alone, it is not wherry's; to replace it: (.*)$" % name, out,
                        re.M).group(1)
    there = fresh.call("GET", "/_index_template/" + name)["index_templates"][0]["index_template"]
    assert there["_meta"] == {"managed_by": "somebody"}
    done = subprocess.run([BINARY, *shlex.split(command)[1:]], cwd=one.directory, env=one.env,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == OK and "index template %s: replaced" % name in done.stdout
    there = fresh.call("GET", "/_index_template/" + name)["index_templates"][0]["index_template"]
    assert there["_meta"]["managed_by"] == "wherry"
    assert there["composed_of"] == ["wherry-mappings-logs", "wherry-settings"]


def test_rival_of_the_same_priority(agent, fresh, dataset, tmp_path):
    """The server refuses two templates for one name at one priority: told in its words."""
    rival = "rival-" + dataset
    fresh.call("PUT", "/_index_template/" + rival, {
        "index_patterns": ["logs-%s-*" % dataset], "priority": 501, "data_stream": {}})
    try:
        made = set_up(agent(config(fresh, tmp_path, dataset)), code=FAILED)
        assert made["wherry-logs-" + dataset].startswith("failed: 400 illegal_argument_exception")
        assert rival in made["wherry-logs-" + dataset]
    finally:
        fresh.call("DELETE", "/_index_template/" + rival)


# ---- rights


@pytest.fixture
def secure(secure_node):
    """The secured node without wherry's templates and role."""
    clean(secure_node.elastic)
    yield secure_node
    clean(secure_node.elastic)
    secure_node.elastic.call("DELETE", "/_security/role/wherry-writer")


def as_owner(node, key):
    """A client that comes with the key."""
    client = Elastic(node.url)
    client._headers["authorization"] = "ApiKey " + base64.b64encode(key.strip().encode()).decode()
    return client


def status_of(client, method, path, body=None):
    try:
        client.call(method, path, body)
        return 200
    except ElasticError as e:
        return e.status


def test_key_may_ship_and_nothing_else(agent, secure, dataset, tmp_path):
    """The key that setup has made ships logs and metrics; reading, deleting and writing elsewhere
    are answered 403."""
    loggen(tmp_path / "a.log", LINES)
    namespace = dataset[-10:]
    admin = config(secure, tmp_path, dataset, namespace=namespace, output__username="elastic",
                   output__password="secretpw",
                   **{"output__ssl.certificate_authorities": [secure.ca]}, **METRICS)
    one = agent(admin)
    made = set_up(one, "--create-api-key", "key")
    assert made["wherry-writer"] == "created" and made["key"] == "created"
    assert stat.S_IMODE(os.stat(tmp_path / "key").st_mode) == 0o600
    key = (tmp_path / "key").read_text()
    assert key.split(":")[1].strip() not in one.last.stdout + one.last.stderr
    again = set_up(one, "--create-api-key", "key")
    assert set(again.values()) == {"unchanged", "unchanged, the file is there"}
    shipper = dict(admin)
    shipper["output.elasticsearch"] = {
        k: v for k, v in admin["output.elasticsearch"].items() if k not in ("username", "password")}
    shipper["output.elasticsearch"]["api_key_file"] = "key"
    one.write_config(shipper)
    logs, cpu = "logs-%s-%s" % (dataset, namespace), "metrics-system.cpu-" + namespace
    code, out, err = one.command("test", "output")
    assert code == OK and "may write to " + logs in out and "may write to " + cpu in out, out + err
    one.start()
    secure.elastic.wait_count(logs, LINES)
    wait_for(lambda: secure.elastic.count(cpu) > 0, what="metrics of cpu")
    assert one.stop() == OK
    client = as_owner(secure, key)
    document = {"@timestamp": "2026-11-23T01:02:03.456Z"}
    assert status_of(client, "GET", "/%s/_search" % logs) == 403
    assert status_of(client, "GET", "/%s/_search" % cpu) == 403
    assert status_of(client, "DELETE", "/" + logs) == 403
    backing, = secure.elastic.call("GET", "/%s/_settings" % logs)
    assert status_of(client, "DELETE", "/" + backing) == 403
    assert status_of(client, "POST", "/other-%s/_doc" % dataset, document) == 403
    assert status_of(client, "POST", "/logs-other%s-default/_create/1" % dataset, document) == 403
    assert status_of(client, "PUT", "/_index_template/wherry-logs-" + dataset, {
        "index_patterns": ["a"]}) == 403
    code, out, err = one.command("setup")
    assert code == FAILED and "failed: 403 security_exception" in out
    assert secure.elastic.count(logs) == LINES


@pytest.mark.parametrize("rights,missing", [
    (["create_doc"], "auto_configure on {0}"),
    (["auto_configure"], "create_doc on {0}"),
    (["read"], "auto_configure on {0}, create_doc on {0}"),
])
def test_missing_privileges_are_named(agent, secure_node, dataset, tmp_path, rights, missing):
    key = secure_node.elastic.create_api_key({"r": {"cluster": ["monitor"], "indices": [
        {"names": ["logs-*"], "privileges": rights}]}})
    (tmp_path / "key").write_text("{id}:{api_key}".format(**key))
    one = agent(config(secure_node, tmp_path, dataset, output__api_key_file="key",
                       **{"output__ssl.certificate_authorities": [secure_node.ca]}))
    code, out, err = one.command("test", "output")
    assert code == FAILED
    listed = re.search(r"privileges are missing: (.*)$", out, re.M).group(1)
    assert sorted(listed.split(", ")) == sorted(missing.format(stream(dataset)).split(", "))


def test_platform_has_a_key_for_its_indices(agent, secure, dataset, tmp_path):
    """The same for daily indices."""
    loggen(tmp_path / "a.log", LINES)
    more = {"profile": "isp", "isp.log_prefix": "log-" + dataset,
            "isp.metric_prefix": "met-" + dataset,
            "output__ssl.certificate_authorities": [secure.ca], **METRICS}
    one = agent(config(secure, tmp_path, dataset, output__username="elastic",
                       output__password="secretpw", **more))
    set_up(one, "--create-api-key", "key")
    one.write_config(config(secure, tmp_path, dataset, output__api_key_file="key", **more))
    code, out, err = one.command("test", "output")
    assert code == OK and "may write to log-" + dataset in out, out + err
    one.start()
    secure.elastic.wait_count("log-%s-*" % dataset, LINES)
    wait_for(lambda: secure.elastic.count("met-%s-*" % dataset) > 0, what="metrics")
    assert one.stop() == OK
    client = as_owner(secure, (tmp_path / "key").read_text())
    index, = secure.elastic.call("GET", "/log-%s-*/_settings" % dataset)
    assert status_of(client, "GET", "/%s/_search" % index) == 403
    assert status_of(client, "DELETE", "/" + index) == 403
    assert status_of(client, "POST", "/%s/_doc" % stream(dataset), {"@timestamp": 0}) == 403
