"""The first four metric sets, in Metricbeat's shape, in a real Elasticsearch."""

import json
import os
import re
import socket
import subprocess
import uuid

import fault_server as fs
import pytest
from waiting import wait_for
from wherry import base_config

HOST = socket.gethostname()
CORES = os.cpu_count()
LOCAL = re.compile(r"lo$|veth|docker\d|br-|cali|cni|flannel|tap|kube-")
SETS = ("cpu", "load", "memory", "network")
STATES = ("user", "system", "nice", "idle", "iowait", "irq", "softirq", "steal", "total")

FRACTIONS = ["system.cpu.%s.norm.pct" % s for s in STATES] + [
    "host.cpu.usage", "system.memory.used.pct", "system.memory.actual.used.pct"]
FLOATS = FRACTIONS + ["system.cpu.%s.pct" % s for s in STATES] + [
    "system.load.%s%s" % (n, m) for n in ("norm.", "") for m in (1, 5, 15)]
LONGS = ["system.cpu.cores", "system.load.cores", "system.memory.total", "system.memory.free",
         "system.memory.cached", "system.memory.used.bytes", "system.memory.actual.free",
         "system.memory.actual.used.bytes", "system.memory.swap.total", "system.memory.swap.free",
         "system.memory.swap.used.bytes", "host.network.ingress.bytes",
         "host.network.egress.bytes", "host.network.ingress.packets", "host.network.egress.packets",
         "metricset.period"] + [
    "system.network.%s.%s" % (d, w) for d in ("in", "out")
    for w in ("bytes", "packets", "errors", "dropped")]
KEYWORDS = ["host.name", "agent.id", "agent.type", "agent.name", "agent.version", "event.module",
            "event.dataset", "metricset.name", "service.type", "ecs.version",
            "system.network.name", "data_stream.type", "data_stream.dataset",
            "data_stream.namespace"]


def get(document, name):
    for part in name.split("."):
        if not isinstance(document, dict) or part not in document:
            return None
        document = document[part]
    return document


def metrics_config(url, tmp_path, namespace, **more):
    config = base_config(url, [tmp_path / "*.log"], **more)
    config.update({"metrics.enabled": True, "metrics.period": "1s", "namespace": namespace})
    return config


@pytest.mark.elastic
def test_four_sets_in_elasticsearch(agent, elastic, tmp_path):
    namespace = "n" + uuid.uuid4().hex[:10]
    one = agent(metrics_config(elastic.url, tmp_path, namespace)).start()
    streams = {s: "metrics-system.%s-%s" % (s, namespace) for s in SETS}
    for name, stream in streams.items():
        wait_for(lambda s=stream: elastic.count(s) >= 3, what="three documents of " + name,
                 interval=0.2)
    wait_for(lambda: elastic.search(streams["network"], {"exists": {
        "field": "host.network.ingress.bytes"}}), what="host.network", interval=0.2)
    assert one.stop() == 0
    types = {}
    for name, stream in streams.items():
        for document in elastic.search(stream, size=1000):
            check_envelope(document, name, namespace)
            check_values(document, name)
        types.update(elastic.mapping(stream))
    for fields, allowed in ((FLOATS, ("float", "double")), (LONGS, ("long",)),
                            (KEYWORDS, ("keyword", "constant_keyword")),
                            (["@timestamp"], ("date",))):
        for field in fields:
            assert types.get(field) in allowed, "%s is %s" % (field, types.get(field))
    check_ids(elastic, streams)


def check_envelope(document, name, namespace):
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", document["@timestamp"])
    assert document["data_stream"] == {
        "type": "metrics", "dataset": "system." + name, "namespace": namespace}
    assert get(document, "event.module") == "system"
    assert get(document, "event.dataset") == "system." + name
    assert document["metricset"] == {"name": name, "period": 1000}
    assert document["service"] == {"type": "system"}
    assert get(document, "host.name") == HOST
    assert get(document, "agent.type") == "wherry"
    assert get(document, "ecs.version") == "8.11.0"


def check_values(document, name):
    for field in FRACTIONS:
        value = get(document, field)
        assert value is None or 0 <= value <= 1, "%s = %r" % (field, value)
    if name == "cpu":
        cpu = document["system"]["cpu"]
        assert cpu["cores"] == CORES
        for state in STATES:
            assert abs(cpu[state]["pct"] - cpu[state]["norm"]["pct"] * CORES) < 0.001 * CORES
        states = sum(cpu[s]["norm"]["pct"] for s in STATES if s != "total")
        assert abs(states - 1) < 0.002, "the eight states make up the time"
        idle = cpu["idle"]["norm"]["pct"] + cpu["iowait"]["norm"]["pct"]
        assert abs(cpu["total"]["norm"]["pct"] - (1 - idle)) < 0.001, "waiting for I/O is not busy"
        assert get(document, "host.cpu.usage") == cpu["total"]["norm"]["pct"]
    elif name == "load":
        load = document["system"]["load"]
        assert load["cores"] == CORES
        for minutes in ("1", "5", "15"):
            assert abs(load[minutes] - load["norm"][minutes] * CORES) < 0.01 * CORES
    elif name == "memory":
        memory = document["system"]["memory"]
        with open("/proc/meminfo") as f:
            total = int(re.search(r"MemTotal:\s+(\d+) kB", f.read()).group(1)) * 1024
        assert memory["total"] == total
        assert memory["used"]["bytes"] == total - memory["free"]
        assert memory["actual"]["used"]["bytes"] == total - memory["actual"]["free"]
        assert abs(memory["used"]["pct"] - memory["used"]["bytes"] / total) < 0.001
    elif name == "network":
        assert ("system" in document) != ("network" in document["host"]), (
            "either one interface or the host")


def check_ids(elastic, streams):
    """12 characters per process start and a sequence: no id twice over all sets."""
    ids = [id_ for stream in streams.values() for id_, _, _ in elastic.all(stream)]
    assert len(ids) == len(set(ids))
    assert len({id_[:12] for id_ in ids}) == 1
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{12}[0-9a-f]{13}", id_) for id_ in ids)


def test_addresses_of_the_host(agent, server, tmp_path):
    """host.ip, host.mac and host.boot.id are what iproute2 and the kernel say, in every document."""
    config = metrics_config(server.url, tmp_path, "x")
    config["metrics.sets"] = ["load"]
    agent(config).start()
    wait_for(lambda: len(server.docs) >= 2, what="two documents")
    ips, macs = set(), set()
    for one in json.loads(subprocess.check_output(["ip", "-j", "addr"])):
        if LOCAL.match(one["ifname"]) or "LOOPBACK" in one["flags"]:
            continue
        ips |= {a["local"] for a in one["addr_info"]}
        if one["link_type"] == "ether":
            macs.add(one["address"].upper().replace(":", "-"))
    with open("/proc/sys/kernel/random/boot_id") as f:
        boot = f.read().strip()
    for document in server.documents():
        assert set(document["host"].get("ip", [])) == ips
        assert set(document["host"].get("mac", [])) == macs
        assert document["host"]["boot"]["id"] == boot


def test_interfaces_and_counters(agent, server, tmp_path):
    """One document per interface and period; counters do not go back, host.network is a delta."""
    agent(metrics_config(server.url, tmp_path, "x")).start()

    def network():
        return [d for d in server.documents("metrics-system.network-x")]
    wait_for(lambda: len([d for d in network() if "network" in d["host"]]) >= 2, what="two periods")
    by_name = {}
    for document in network():
        if "system" in document:
            one = document["system"]["network"]
            by_name.setdefault(one["name"], []).append(one)
    with open("/proc/net/dev") as f:
        names = {line.split(":")[0].strip() for line in f if ":" in line}
    assert set(by_name) == {name for name in names if not LOCAL.match(name)}
    for samples in by_name.values():
        for way in ("in", "out"):
            for what in ("bytes", "packets", "errors", "dropped"):
                values = [s[way][what] for s in samples]
                assert values == sorted(values)
    for document in network():
        if "network" in document["host"]:
            for way in ("ingress", "egress"):
                assert 0 <= document["host"]["network"][way]["bytes"] < 1 << 40


def test_only_the_chosen_sets(agent, server, tmp_path):
    config = metrics_config(server.url, tmp_path, "x")
    config["metrics.sets"] = ["load", "memory"]
    agent(config).start()
    wait_for(lambda: len(server.docs) >= 6, what="six documents")
    assert {index for index, _ in server.docs} == {
        "metrics-system.load-x", "metrics-system.memory-x"}


def test_on_by_default_off_in_once(agent, server, tmp_path):
    config = base_config(server.url, [tmp_path / "*.log"])
    del config["metrics.enabled"]
    (tmp_path / "a.log").write_text("line\n")
    one = agent(config)
    one.run_once()
    assert server.messages() == ["line"]
    one.start()
    wait_for(lambda: len(server.docs) > 1, 30, "metrics by default")


def test_metrics_do_not_wait_for_blocked_logs(agent, server, tmp_path):
    """Each target pauses alone."""
    (tmp_path / "a.log").write_text("line\n" * 1000)
    blocked = (403, *fs.ERROR_TYPES[403])
    server.always(fs.bulk_reply(lambda n, a: blocked if a.index.startswith("logs-") else None))
    one = agent(metrics_config(server.url, tmp_path, "x")).start()
    wait_for(lambda: len(server.docs) >= 12, what="metrics in spite of it")
    assert all(index.startswith("metrics-") for index, _ in server.docs)
    assert one.stop() == 0
    assert one.ledger["dead_lettered"]["lines"] == 0
