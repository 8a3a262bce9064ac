"""What Kibana's Hosts and Inventory pages ask of a host's metrics, a mapping that takes only the fields
of docs/metrics.md, and the numbers beside those of the usual tools: one agent with all sets, in a real
Elasticsearch."""

import json
import os
import re
import socket
import subprocess
import time
import uuid

import pytest
from elastic import ElasticError
from tools import ROOT
from waiting import wait_for
from wherry import Agent, base_config

pytestmark = pytest.mark.elastic

HOST = socket.gethostname()
CORES = os.cpu_count()
# A scaled_float is a double here, a constant_keyword a keyword: the distribution that the tests run on
# has no such types.
TYPES = {"scaled_float": {"type": "double"}, "keyword": {"type": "keyword"},
         "constant_keyword": {"type": "keyword"},
         "long": {"type": "long"}, "date": {"type": "date"}, "boolean": {"type": "boolean"},
         "ip": {"type": "ip"},
         "constant_keyword": {"type": "keyword"}}  # the small distribution has no other
# What a host may not have; the agent says so.
MAY_MISS = {"conntrack", "wireless", "cpufreq", "thermal", "pressure", "neighbours", "diskio"}


def field_table():
    """{section: {field: type}} of docs/metrics.md, which is written from the sets' own tables."""
    tables, section = {}, None
    with open(os.path.join(ROOT, "docs", "metrics.md"), encoding="utf-8") as f:
        for line in f:
            if match := re.match(r"## (.+)$", line):
                section = tables.setdefault(match.group(1), {})
            elif match := re.match(r"\| `([^`]+)` \| (\w+) \|", line):
                section[match.group(1)] = match.group(2)
    return tables


def properties(fields):
    root = {}
    for name, kind in fields.items():
        at = root
        *parents, last = name.split(".")
        for part in parents:
            at = at.setdefault(part, {}).setdefault("properties", {})
        at[last] = TYPES[kind]
    return root


def run(*words):
    env = dict(os.environ, LC_ALL="C", TZ="UTC")
    return subprocess.run(words, check=True, capture_output=True, text=True, env=env).stdout


def tools_say():
    """What other programs tell now."""
    links = {link["ifname"]: link["stats64"] for link in json.loads(run("ip", "-s", "-j", "link"))}
    free = {line.split(":")[0]: [int(n) for n in line.split(":")[1].split()]
            for line in run("free", "-b").splitlines()[1:]}
    vmstat = {line.strip().split(" ", 1)[1].strip(): int(line.split()[0])
              for line in run("vmstat", "-s").splitlines()}
    load = [float(n) for n in re.search(r"load average: (.*)$", run("uptime")).group(1).split(", ")]
    with open("/proc/uptime") as f:
        up_ms = float(f.read().split()[0]) * 1000
    established = int(re.search(r"TCP:.*estab (\d+)", run("ss", "-s")).group(1))
    return {"links": links, "free": free, "vmstat": vmstat, "load": load, "up_ms": up_ms,
            "established": established, "processes": len(re.findall(r"^\d+$", "\n".join(
                os.listdir("/proc")), re.M))}


class Shipped:
    """One run of all sets."""

    def __init__(self, elastic, namespace, stderr, ledger, before, after, seconds):
        self.elastic, self.namespace, self.stderr = elastic, namespace, stderr
        self.ledger, self.before, self.after, self.seconds = ledger, before, after, seconds
        self.pattern = "metrics-*-" + namespace

    def stream(self, name):
        return "metrics-system.%s-%s" % (name, self.namespace)

    def documents(self, name):
        return self.elastic.search(self.stream(name), size=1000, sort=["@timestamp"])

    def per_host(self, aggregations):
        """What the Hosts page asks: grouped by host.name, filtered by event.module."""
        body = {"size": 0, "query": {"bool": {"filter": [
            {"bool": {"should": [{"term": {"event.module": "system"}},
                                 {"term": {"metricset.module": "system"}}],
                      "minimum_should_match": 1}},
            {"range": {"@timestamp": {"gte": "now-15m", "lte": "now+1m"}}}]}},
            "aggs": {"hosts": {"terms": {"field": "host.name"}, "aggs": aggregations}}}
        answer = self.elastic.call("POST", "/%s/_search" % self.pattern, body)
        (bucket,) = answer["aggregations"]["hosts"]["buckets"]
        assert bucket["key"] == HOST
        values = {name: bucket[name].get("value") for name in aggregations}
        assert None not in values.values(), values
        return values


@pytest.fixture(scope="module")
def shipped(elastic, binary, tmp_path_factory):
    assert os.access(binary, os.X_OK)
    directory = tmp_path_factory.mktemp("kibana")
    namespace = "k" + uuid.uuid4().hex[:10]
    tables = field_table()
    sets = [name for name in tables if name != "Every document"]
    for name in sets:
        fields = dict(tables["Every document"], **tables[name])
        elastic.call("PUT", "/_index_template/strict-%s-%s" % (name, namespace), {
            "index_patterns": ["metrics-system.%s-%s" % (name, namespace)], "priority": 700,
            "data_stream": {}, "template": {"mappings": {
                "dynamic": "strict", "properties": properties(fields)}}})
    config = base_config(elastic.url, [directory / "*.log"], namespace=namespace)
    config.update({"metrics.enabled": True, "metrics.period": "1s", "metrics.sets": "all"})
    config.update(("metrics.%s.period" % name, "1s") for name in ("uptime", "filesystem", "fsstat")
                  if name in tables)
    before, began = tools_say(), time.monotonic()
    one = Agent(directory, config).start()
    try:
        wait_for(lambda: elastic.count("metrics-system.network-" + namespace) > 0 and all(
            elastic.count("metrics-system.%s-%s" % (name, namespace)) >= 3
            for name in ("cpu", "load", "memory")), what="three samples", interval=0.3)
        assert one.stop() == 0
        seconds = time.monotonic() - began
        after = tools_say()
        one.finish()
        elastic.refresh("metrics-*-" + namespace)
        yield Shipped(elastic, namespace, one.runs[0].stderr, one.ledger, before, after, seconds)
    finally:
        one.abort()
        for name in sets:
            elastic.call("DELETE", "/_index_template/strict-%s-%s" % (name, namespace))


def missing_sets(stderr):
    return set(re.findall(r"metrics: (\w+) is off", stderr))


def test_a_strict_mapping_takes_every_set(shipped):
    """Made from the table of fields: a field that is not in it, or has another type, is refused."""
    assert shipped.ledger["dead_lettered"]["lines"] == 0
    assert shipped.ledger["abandoned"]["lines"] == 0
    tables = field_table()
    for name in tables:
        if name == "Every document" or name in missing_sets(shipped.stderr):
            continue
        sent = shipped.elastic.count(shipped.stream(name))
        assert sent > 0 or name in MAY_MISS, name + " has sent nothing"
    assert missing_sets(shipped.stderr) <= MAY_MISS


def test_the_mapping_is_strict(shipped):
    """Else the test above would show nothing."""
    document = dict(shipped.documents("load")[0], surprise=1)
    with pytest.raises(ElasticError) as refused:
        shipped.elastic.call("POST", "/%s/_create/x" % shipped.stream("load"), document)
    assert refused.value.status == 400 and "strict" in str(refused.value)


def average(field):
    return {"avg": {"field": field}}


def largest(field):
    return {"max": {"field": field}}


def test_cpu_as_kibana_asks(shipped):
    states = ("iowait", "irq", "softirq", "steal", "system", "user")
    v = shipped.per_host(dict(
        {s: average("system.cpu.%s.pct" % s) for s in states},
        total=average("system.cpu.total.norm.pct"), nice=average("system.cpu.nice.norm.pct"),
        cores=largest("system.cpu.cores"), usage=average("host.cpu.usage")))
    assert v["cores"] == CORES
    assert 0 < v["total"] <= 1 and abs(v["usage"] - v["total"]) < 1e-9
    for state in states:
        assert 0 <= v[state] / v["cores"] <= 1
    assert v["user"] + v["system"] > 0
    busy = sum(v[s] for s in states if s != "iowait") / v["cores"] + v["nice"]
    assert abs(busy - v["total"]) < 0.01, "the breakdown makes up the usage"


def test_load_as_kibana_asks(shipped):
    v = shipped.per_host({"1": average("system.load.1"), "5": average("system.load.5"),
                          "15": average("system.load.15"), "cores": largest("system.load.cores")})
    assert v["cores"] == CORES
    for minutes in ("1", "5", "15"):
        assert 0 <= v[minutes] < 1000
    for seen, i in ((v["1"], 0), (v["5"], 1), (v["15"], 2)):
        around = [shipped.before["load"][i], shipped.after["load"][i]]
        assert min(around) * 0.8 - 0.3 <= seen <= max(around) * 1.2 + 0.3, "uptime says %r" % around


def test_memory_as_kibana_asks(shipped):
    v = shipped.per_host({
        "usage": average("system.memory.actual.used.pct"), "total": largest("system.memory.total"),
        "actual": average("system.memory.actual.used.bytes"),
        "free": average("system.memory.free"), "used": average("system.memory.used.bytes")})
    total, _, _, _, _, available = shipped.after["free"]["Mem"]
    assert v["total"] == total
    assert 0 < v["usage"] < 1
    assert abs((v["total"] - v["actual"]) - available) < 0.1 * total, "free says %d" % available
    assert v["used"] - v["actual"] > 0, "the cache"
    assert abs(v["used"] + v["free"] - total) < 2
    swap = shipped.documents("memory")[-1]["system"]["memory"]["swap"]
    assert swap["total"] == shipped.after["free"]["Swap"][0]


def test_network_as_kibana_asks(shipped):
    """rx and tx are sums of what was counted in each period."""
    v = shipped.per_host({"rx": {"sum": {"field": "host.network.ingress.bytes"}},
                          "tx": {"sum": {"field": "host.network.egress.bytes"}},
                          "period": largest("metricset.period")})
    assert v["period"] == 1000
    for way in ("rx", "tx"):
        assert 0 <= v[way] * 8 / shipped.seconds < 1e12


def test_network_counters_beside_ip(shipped):
    seen = set()
    for document in shipped.documents("network"):
        one = document.get("system", {}).get("network")
        if one is None:
            continue
        before, after = (w["links"].get(one["name"]) for w in (shipped.before, shipped.after))
        if before is None or after is None:
            continue
        seen.add(one["name"])
        for way, link in (("in", "rx"), ("out", "tx")):
            for what in ("bytes", "packets"):
                assert before[link][what] <= one[way][what] <= after[link][what], one["name"]
    assert seen, "at least one interface"


def test_disks_as_kibana_asks(shipped):
    """Operations and bytes are rates of counters; latency is time by operations."""
    if shipped.elastic.count(shipped.stream("diskio")) == 0:
        pytest.skip("this host shows no disks")
    fields = ["%s.%s" % (way, what) for way in ("read", "write")
              for what in ("count", "bytes", "time")]
    v = shipped.per_host({f.replace(".", "_"): largest("system.diskio." + f) for f in fields})
    assert v["read_count"] > 0 and v["read_bytes"] >= 512
    series = {}
    for document in shipped.documents("diskio"):
        one = document.get("system", {}).get("diskio")
        if one is not None:
            series.setdefault(one["name"], []).append(one)
    for samples in series.values():
        for way in ("read", "write"):
            for what in ("count", "bytes"):
                values = [s[way][what] for s in samples]
                assert values == sorted(values)


def test_filesystems_as_kibana_asks(shipped):
    v = shipped.per_host({"usage": largest("system.filesystem.used.pct"),
                          "free": average("system.filesystem.free")})
    assert 0 < v["usage"] <= 1 and v["free"] > 0
    rows = {line.split()[-1]: line.split() for line in run(
        "df", "-B1", "--output=size,used,avail,target").splitlines()[1:]}
    compared = 0
    for document in shipped.documents("filesystem"):
        one = document["system"]["filesystem"]
        row = rows.get(one["mount_point"])
        if row is None or one["total"] == 0:
            continue
        compared += 1
        assert one["total"] == int(row[0]), one["mount_point"]
        share = int(row[1]) / max(1, int(row[1]) + int(row[2]))
        assert abs(one["used"]["pct"] - share) < 0.02, one["mount_point"]
    assert compared, "at least one file system that df knows"


def test_counters_beside_vmstat(shipped):
    kernel = shipped.documents("kernel")[-1]["system"]["kernel"]
    for field, name in (("context_switches", "CPU context switches"), ("interrupts", "interrupts"),
                        ("forks", "forks")):
        assert shipped.before["vmstat"][name] <= kernel[field] <= shipped.after["vmstat"][name]
    vmstat = shipped.documents("vmstat")[-1]["system"]["vmstat"]
    for field, name in (("pswpin", "pages swapped in"), ("pswpout", "pages swapped out")):
        assert shipped.before["vmstat"][name] <= vmstat[field] <= shipped.after["vmstat"][name]


def test_uptime_and_processes(shipped):
    for document in shipped.documents("uptime"):
        assert (shipped.before["up_ms"] <= document["system"]["uptime"]["duration"]["ms"]
                <= shipped.after["up_ms"])
    for document in shipped.documents("process_summary"):
        one = document["system"]["process"]["summary"]
        states = ("dead", "disk_sleep", "idle", "running", "sleeping", "stopped", "unknown", "zombie")
        assert one["total"] == sum(one[s] for s in states)
        around = [shipped.before["processes"], shipped.after["processes"]]
        assert min(around) * 0.7 - 30 <= one["total"] <= max(around) * 1.3 + 30


def test_sockets_beside_ss(shipped):
    around = [shipped.before["established"], shipped.after["established"]]
    for document in shipped.documents("socket_summary"):
        tcp = document["system"]["socket"]["summary"]["tcp"]["all"]
        assert min(around) * 0.5 - 30 <= tcp["established"] <= max(around) * 1.5 + 30
        assert 0 < tcp["listening"] <= tcp["count"]
