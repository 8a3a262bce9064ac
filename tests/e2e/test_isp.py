"""The ISP platform: its environment variables, its JSON lines, its searches in both profiles, and the
metrics of a host in its form."""

import datetime
import json
import os
import re
import signal

import pytest
from tools import ROOT
from waiting import wait_for
from wherry import BAD_CONFIG, base_config

# What the platform's programs write: the time without a zone, levels in lower case, and values one
# by one. `n` tells the lines apart.
LOGS = [
    ("billing", "error", "payment failed for invoice 17", {"user_id": 123}),
    ("billing", "error", "Payment FAILED: card expired", {"user_id": 124}),
    ("billing", "info", "invoice 18 was paid", {"user_id": 123}),
    ("billing", "warning", "retry of a failed webhook", {}),
    ("radius", "error", "login failed", {"user_id": 1234, "nas": "ap1"}),
    ("radius", "info", "login of bob", {"user_id": 12}),
    ("crm", "critical", "database is gone", {"depth": {"user_id": 123}}),
    ("crm", "debug", "nothing happened", {"user_id": 123}),
]
METRICS = [
    ("system", "server1", "cpu_usage", 95.5, "percent"),
    ("system", "server1", "cpu_usage", 80, "percent"),
    ("system", "server2", "cpu_usage", 80.25, "percent"),
    ("system", "server2", "CPU_USAGE", 99, "percent"),
    ("system", "server1", "memory_usage", 97.0, "percent"),
    ("radius", "server1", "response_time", 120.5, "ms"),
    ("radius", "server3", "cpu_usage", 12, "percent"),
]

# What people ask, as the page sends it (`value>80` becomes a range), and how many documents that is.
SEARCHES = [
    ("log_level:ERROR", 3),
    ("log_level:error", 3),
    ("log_level:CRITICAL", 1),
    ("service_name:billing AND message:*failed*", 3),
    ("metadata.user_id:123", 3),
    ("metric_type:cpu_usage AND value:>80", 3),
    ("metric_type:CPU_USAGE AND value:>80", 3),
    ("service_name:radius", 4),
    ("host_name:server1", 4),
    ("trace_id:t-4", 1),
    ("user_id:1003", 1),
    ("source_ip:\"192.0.2.0/30\"", 4),
    ("response_status:[500 TO 599]", 3),
    ("timestamp:[2025-03-24T10\\:00\\:00 TO 2025-03-24T10\\:00\\:03]", 4),
]


def log_line(n, service, level, message, metadata):
    return {"id": n, "timestamp": "2025-03-24T10:00:%02d.250000" % n, "service_name": service,
            "log_level": level, "message": message, "metadata": metadata, "trace_id": "t-%d" % n,
            "user_id": 1000 + n, "source_ip": "192.0.2.%d" % n, "request_path": "/api/%d" % n,
            "request_method": "POST", "response_status": 500 if level == "error" else 200,
            "execution_time_ms": n + 0.5, "host_name": "app%d" % n}


def metric_line(n, service, host, kind, value, unit):
    return {"id": n, "timestamp": "2025-03-24T11:00:00Z", "service_name": service,
            "host_name": host, "metric_type": kind, "value": value, "unit": unit,
            "tags": {"rack": "r1"}, "sampling_rate": 1.0}


def corpus():
    lines = [log_line(n, *row) for n, row in enumerate(LOGS)]
    return lines + [metric_line(100 + n, *row) for n, row in enumerate(METRICS)]


def write_lines(path, lines):
    with open(path, "a", encoding="utf-8") as f:
        for line in lines:
            f.write((line if isinstance(line, str) else json.dumps(line)) + "\n")


def days():
    """Today in names of indices, and what it may have become since."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return {(now + datetime.timedelta(minutes=m)).strftime("%Y.%m.%d") for m in (-5, 0)}


@pytest.fixture(params=["default", "isp"])
def place(request, dataset):
    """Profile, configuration and environment for it, and where its documents are."""
    prefix = dataset.replace("_", "-")
    if request.param == "default":
        return "default", {"input__json": "auto"}, {}, "logs-%s-default" % dataset
    env = {"ELASTICSEARCH_LOG_INDEX_PREFIX": prefix + "-logs",
           "ELASTICSEARCH_METRIC_INDEX_PREFIX": prefix + "-metrics",
           "ELASTICSEARCH_INDEX_DATE_FORMAT": "YYYY.MM.dd",
           "ELASTICSEARCH_NUMBER_OF_SHARDS": "1",
           "ELASTICSEARCH_NUMBER_OF_REPLICAS": "0",
           "ELASTICSEARCH_SYNC_BATCH_SIZE": "100"}
    return "isp", {}, env, prefix + "-logs-*"


def searched(elastic, where, query):
    elastic.refresh(where)
    body = {"query": {"query_string": {"query": query}}}
    return elastic.call("POST", "/%s/_count" % where, body)["count"]


@pytest.mark.elastic
def test_searches_of_the_platform(agent, elastic, dataset, tmp_path, place):
    """Known lines, known answers, with the field names that the platform's people know."""
    _, config, env, where = place
    write_lines(tmp_path / "app.log", corpus() + ["not JSON", '{"message": "cut'])
    one = agent(base_config(elastic.url, [tmp_path / "*.log"], dataset, **config), env=env)
    code, out, err = one.command("setup")
    assert code == 0, out + err
    one.run_once()
    assert elastic.count(where) == len(LOGS) + len(METRICS) + 2
    assert {q: searched(elastic, where, q) for q, _ in SEARCHES} == dict(SEARCHES)


@pytest.mark.elastic
def test_documents_of_both_profiles(agent, elastic, dataset, tmp_path, place):
    profile, config, env, where = place
    write_lines(tmp_path / "app.log", [
        log_line(1, *LOGS[0]), "plain text",
        {"message": "late", "timestamp": "yesterday", "message_id": 7, "user_id": "bob"}])
    one = agent(base_config(elastic.url, [tmp_path / "*.log"], dataset, metadata=["offset"],
                            **config), env=env)
    assert one.command("setup")[0] == 0
    one.run_once()
    line, text, late = sorted(elastic.search(where), key=lambda d: d["log"]["offset"])
    path = str(tmp_path / "app.log")
    time = "2025-03-24T10:00:01.250000Z"
    common = {"@timestamp": time, "log": {"file": {"path": path}, "offset": 0},
              "message": LOGS[0][2], "metadata": {"user_id": 123}, "execution_time_ms": 1.5}
    if profile == "isp":
        assert line == dict(
            common, timestamp=time, id=1, service_name="billing", log_level="error",
            trace_id="t-1", user_id=1001, source_ip="192.0.2.1", request_path="/api/1",
            request_method="POST", response_status=500, host_name="app1")
        assert text["timestamp"] == text["@timestamp"]
        assert late["json"] == {"timestamp": "yesterday", "user_id": "bob"}
    else:
        common["log"]["level"] = "error"
        assert line == dict(
            common, service={"name": "billing"}, trace={"id": "t-1"}, event={"id": 1},
            user={"id": 1001}, source={"ip": "192.0.2.1"}, url={"path": "/api/1"},
            http={"request": {"method": "POST"}, "response": {"status_code": 500}},
            host={"name": "app1"})
        assert late["json"] == {"timestamp": "yesterday"}
        assert late["user"] == {"id": "bob"}
    assert (text["message"], late["message"]) == ("plain text", "late")
    assert "error" not in text and late["message_id"] == 7
    assert late["log"]["flags"] == ["undated"]
    assert late["@timestamp"] != time


@pytest.mark.elastic
def test_names_of_daily_indices(agent, elastic, dataset, tmp_path):
    """The letters of Java and of strftime give the same name; never the letters themselves, which
    no server takes."""
    prefix = dataset.replace("_", "-")
    for n, form in enumerate(["YYYY.MM.dd", "yyyy.MM.dd", "%Y.%m.%d"]):
        write_lines(tmp_path / ("%d.log" % n), [{"message": "x"}])
        env = {"ELASTICSEARCH_LOG_INDEX_PREFIX": prefix, "ELASTICSEARCH_INDEX_DATE_FORMAT": form}
        agent(base_config(elastic.url, [tmp_path / ("%d.log" % n)], path__data="./data%d" % n),
              env=env).run_once()
    before = days()
    indices = {i for _, _, i in elastic.all(prefix + "-*")}
    assert indices <= {"%s-%s" % (prefix, d) for d in before | days()}
    assert elastic.count(prefix + "-*") == 3


@pytest.mark.parametrize("form", ["'today'", "day", "%%", "HH"])
def test_a_day_has_digits(agent, server, tmp_path, form):
    env = {"ELASTICSEARCH_LOG_INDEX_PREFIX": "isp-logs", "ELASTICSEARCH_INDEX_DATE_FORMAT": form}
    one = agent(base_config(server.url, [tmp_path / "*.log"]), env=env)
    for words in (["test", "config"], ["run"], ["setup"]):
        code, _, err = one.command(*words)
        assert code == BAD_CONFIG and "isp.date_format behind \"isp-logs\"" in err
    assert not server.requests


def test_levels_keep_their_case(agent, server, tmp_path):
    """They are sent as they were written; it is the mapping that does not mind (see the searches)."""
    write_lines(tmp_path / "a.log", [{"log_level": c, "message": c}
                                     for c in ("error", "ERROR", "Error")])
    agent(base_config(server.url, [tmp_path / "a.log"], profile="isp")).run_once()
    assert [d["log_level"] for d in server.documents()] == ["error", "ERROR", "Error"]


# ---- hostile lines

HOSTILE = [
    ('{"a":1,"a":2}', "a name stands there twice"),
    ('{"x":{"a":1,"a":2}}', "a name stands there twice"),
    ('{"a":1e400}', "a number beyond what an index takes"),
    ('{"a":18446744073709551616}', "a number beyond what an index takes"),
    ('{"":1}', "a name that no index takes"),
    ('{"a..b":1}', "a name that no index takes"),
    ("{%s}" % ",".join('"n%d":1' % n for n in range(10000)), "more or longer names than are taken"),
    ('{"%s":1}' % ("x" * 300), "more or longer names than are taken"),
    ('{"a":' * 100 + "1" + "}" * 100, "deeper than is taken"),
    ('{"a":' + "[" * 5000 + "]" * 5000 + "}", "deeper than is taken"),
    ('{"log":{"x":1},"log.x":2}', "a field stands there twice"),
    ('{"message":"cut', "not JSON"),
    ('{"message":"x"} {"message":"y"}', "not JSON"),
]
TAKEN = [
    '{"_id":"x","_index":"y","_source":{"a":1},"message":"m"}',
    '{"@timestamp":"1","log":"text","host":{"name":[1]},"agent":null,"message":{"a":1}}',
    '{"data_stream":{"type":"x","dataset":"y"},"ecs":{"version":1},"message":"m"}',
    '{"log":{"offset":"x","file":"y","level":{"a":1}},"event":"e","tags":{"a":1},"message":"m"}',
    '{"log.offset":"x","log.file.path.y":1,"message.x":2,"@timestamp.x":3,"message":"m"}',
    '{"json":{"a":1},"message":"\\u0000\\ud800"}',
    '{"response_status":"ok","value":"much","source_ip":"here","execution_time_ms":true}',
    '{"log_level":"%s","message":"m"}' % ("x" * 40000),
    '{"request_path":"%s","message":"m"}' % ("/\\u00e4" * 7000),
    '{"status":{"code":1},"metadata":"none","unit":[1,[2]],"message":"m"}',
]


@pytest.mark.elastic
def test_no_line_is_refused(agent, elastic, dataset, tmp_path, place):
    """What an index would refuse goes as text, with the reason; what clashes moves."""
    _, config, env, where = place
    write_lines(tmp_path / "app.log", [line for line, _ in HOSTILE] + TAKEN)
    one = agent(base_config(elastic.url, [tmp_path / "*.log"], dataset, **config), env=env)
    assert one.command("setup")[0] == 0
    run = one.run_once()
    assert run.ledger["dead_lettered"]["lines"] == 0
    found = sorted(elastic.search(where), key=lambda d: d["log"]["offset"])
    assert len(found) == len(HOSTILE) + len(TAKEN)
    for (line, why), document in zip(HOSTILE, found):
        assert (document["message"], document["error"]["message"]) == (line, why)
    for line, document in zip(TAKEN, found[len(HOSTILE):]):
        assert "error" not in document, line
    assert run.ledger.total["documents"]["undecoded"] == len(HOSTILE)


def test_lines_that_must_be_json(agent, server, tmp_path):
    write_lines(tmp_path / "a.log", ["text", "[1]", {"message": "x"}])
    agent(base_config(server.url, [tmp_path / "a.log"], input__json="on")).run_once()
    assert [d.get("error") for d in server.documents()] == [
        {"message": "not JSON"}, {"message": "not a JSON object"}, None]


def test_json_within_container_logs(agent, server, tmp_path):
    """The runtime's time and stream stand for what the program does not say."""
    write_lines(tmp_path / "a.log", [
        '2026-11-23T01:02:03.5Z stderr P {"log_level":"err',
        '2026-11-23T01:02:04.5Z stderr F or","stream":"mine","message":"m"}',
        '2026-11-23T01:02:05.5Z stdout F {"timestamp":"2026-11-23 00:00:00,25","message":"n"}'])
    agent(base_config(server.url, [tmp_path / "a.log"], input__format="cri",
                      input__json="auto")).run_once()
    one, two = server.documents()
    assert (one["log"]["level"], one["message"], one["stream"]) == ("error", "m", "stderr")
    assert one["@timestamp"] == "2026-11-23T01:02:03.5Z"
    assert one["json"] == {"stream": "mine"}
    assert (two["@timestamp"], two["stream"]) == ("2026-11-23T00:00:00.25Z", "stdout")


def test_another_json_is_another_document(agent, server, tmp_path):
    """An id stands for one document: under another option the file goes on, under other ids."""
    write_lines(tmp_path / "a.log", [{"message": "first"}])
    one = agent(base_config(server.url, [tmp_path / "a.log"]))
    one.run_once()
    write_lines(tmp_path / "a.log", [{"message": "second"}])
    one.write_config(base_config(server.url, [tmp_path / "a.log"], input__json="on"))
    one.run_once()
    assert [d["message"] for d in server.documents()] == ['{"message": "first"}', "second"]
    first, second = (id_[:12] for _, id_ in server.docs)
    assert first != second


def test_json_by_a_reload(agent, server, tmp_path):
    write_lines(tmp_path / "a.log", [{"message": "first"}])
    one = agent(base_config(server.url, [tmp_path / "a.log"])).start()
    wait_for(lambda: len(server.docs) == 1, what="the first line")
    one.write_config(base_config(server.url, [tmp_path / "a.log"], input__json="auto"))
    one.send_signal(signal.SIGHUP)
    wait_for(lambda: "was taken over" in one.last.stderr, what="the reload")
    write_lines(tmp_path / "a.log", [{"message": "second"}])
    wait_for(lambda: len(server.docs) == 2, what="the second line")
    assert one.stop() == 0
    assert [d["message"] for d in server.documents()] == ['{"message": "first"}', "second"]


# ---- ELASTICSEARCH_ENABLED


def test_not_enabled_moves_nothing(agent, server, tmp_path):
    write_lines(tmp_path / "a.log", ["one", "two"])
    env = {"ELASTICSEARCH_ENABLED": "false"}
    settings = base_config(server.url, [tmp_path / "a.log"])
    settings["metrics.enabled"] = True
    one = agent(settings, env=env)
    run = one.run_once()
    assert run.stderr.count("ELASTICSEARCH_ENABLED is false") == 1
    assert run.ledger["read"] == {"bytes": 0, "lines": 0}
    one.start()
    assert one.running and "health" not in one.last.stderr
    assert one.stop() == 0
    code, out, _ = one.command("test", "output")
    assert code == 0 and "ELASTICSEARCH_ENABLED is false" in out
    assert not server.requests
    del one.env["ELASTICSEARCH_ENABLED"]
    run = one.run_once()
    assert [d["message"] for d in server.documents()] == ["one", "two"]


# ---- metrics


def proc_of(root, busy, idle):
    """A /proc/stat with these times, put in place at once."""
    path = os.path.join(root, "proc", "stat")
    with open(path + ".new", "w", encoding="utf-8") as f:
        for name in ("cpu ", "cpu0"):
            f.write("%s %d 0 0 %d 0 0 0 0 0 0\n" % (name, busy, idle))
    os.rename(path + ".new", path)


@pytest.mark.elastic
def test_a_value_is_a_document(agent, elastic, dataset, tmp_path):
    """A host whose processors are 90 % busy is found by the platform's question."""
    prefix = dataset.replace("_", "-")
    env = {"ELASTICSEARCH_METRIC_INDEX_PREFIX": prefix + "-metrics",
           "ELASTICSEARCH_LOG_INDEX_PREFIX": prefix + "-logs"}
    where = prefix + "-metrics-*"
    root = tmp_path / "host"
    (root / "proc").mkdir(parents=True)
    (root / "etc").mkdir()
    proc_of(root, 1000, 1000)
    settings = base_config(elastic.url, [tmp_path / "*.log"])
    settings.update({"metrics.enabled": True, "metrics.period": "1s", "metrics.sets": ["cpu"],
                     "path.hostfs": str(root)})
    one = agent(settings, env=env)
    assert one.command("setup")[0] == 0
    one.start()
    busy = idle = 1000

    def hot():
        nonlocal busy, idle
        busy, idle = busy + 900, idle + 100
        proc_of(root, busy, idle)
        return searched(elastic, where, "metric_type:cpu_usage AND value:>80") >= 2
    wait_for(hot, 60, "two values above 80", interval=0.3)
    assert one.stop() == 0
    assert searched(elastic, where, "metric_type:CPU_USAGE AND value:90") == elastic.count(where)
    document = elastic.search(where)[0]
    time = document.pop("@timestamp")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
    assert document.pop("timestamp") == time
    assert document == {
        "service_name": "system", "host_name": os.uname().nodename, "metric_type": "cpu_usage",
        "value": 90.0, "unit": "percent", "status": "up", "tags": {}, "sampling_rate": 1.0}
    assert {i[len(prefix + "-metrics-"):] for _, _, i in elastic.all(where)} <= days()


@pytest.mark.elastic
def test_a_real_host_in_the_platforms_form(agent, elastic, dataset, tmp_path):
    """Every set that gives values does so, and no document is refused."""
    prefix = dataset.replace("_", "-")
    settings = base_config(elastic.url, [tmp_path / "*.log"], profile="isp")
    settings.update({"metrics.enabled": True, "metrics.period": "1s",
                     "isp.metric_prefix": prefix + "-metrics", "isp.log_prefix": prefix + "-logs"})
    one = agent(settings)
    assert one.command("setup")[0] == 0
    one.start()
    where = prefix + "-metrics-*"
    wanted = ["cpu_usage", "memory_usage", "network_traffic", "network_bandwidth",
              "network_connection_count"]
    wait_for(lambda: all(searched(elastic, where, "metric_type:" + w) for w in wanted), 60,
             "values of each type", interval=0.3)
    assert searched(elastic, where, "metric_type:cpu_usage AND value:>100") == 0
    assert searched(elastic, where, "metric_type:memory_usage AND value:[1 TO 100]") > 0
    assert searched(elastic, where, "status:UP AND tags.direction:in AND _exists_:tags.interface")
    assert one.stop() == 0
    assert one.last.ledger["dead_lettered"]["lines"] == 0
    assert one.last.ledger.inputs["metrics"]["read"]["lines"] == elastic.count(where)


def test_the_page_names_every_field():
    """docs/isp.md has both names of each field that the platform calls otherwise."""
    with open(os.path.join(ROOT, "agent/bulk/fields.c"), encoding="utf-8") as f:
        rows = re.findall(r'\{"([a-z@_.]+)",\s*FIELD_\w+,\s*"([a-z_]+)"', f.read())
    with open(os.path.join(ROOT, "docs/isp.md"), encoding="utf-8") as f:
        told = set(re.findall(r"`([a-z@_.]+)`", f.read()))
    assert len(rows) == 11
    assert {name for row in rows for name in row} <= told


def test_the_page_names_every_type():
    """docs/isp.md tells of every metric_type that the table has, and of no other."""
    with open(os.path.join(ROOT, "agent/metrics/isp.c"), encoding="utf-8") as f:
        rows = set(re.findall(r'\{"[a-z]+",\s*"[a-zA-Z0-9_.]+",\s*"([a-z_]+)"', f.read()))
    with open(os.path.join(ROOT, "docs/isp.md"), encoding="utf-8") as f:
        told = set(re.findall(r"^\| `([a-z_]+)` \| [a-z]", f.read(), re.MULTILINE))
    assert rows == told and rows
