"""Logs into a real Elasticsearch: nothing missing, nothing twice, nothing altered."""

import os

import pytest
import seqline
from elastic import by_generation
from tools import ROOT, Loggen
from waiting import wait_for
from wherry import base_config


def contents(directory):
    """The texts of all files that are not empty."""
    found = []
    for name in os.listdir(directory):
        with open(os.path.join(directory, name), newline="") as f:
            text = f.read()
        if text:
            found.append(text)
    return found


def assert_generations_are_files(documents, directory):
    """Sorted by log.offset, the lines of each generation are the content of one file."""
    generations = []
    for lines in by_generation(documents).values():
        offset = 0
        for at, message in lines:
            assert at == offset
            offset += len(message) + 1
        generations.append("".join(message + "\n" for _, message in lines))
    assert sorted(generations) == sorted(contents(directory))


@pytest.mark.elastic
@pytest.mark.slow
def test_rotation_restart_and_outage(agent, node, dataset, tmp_path):
    """Three writers, 200,000 lines, rename rotation throughout, the agent ended and started again
    in the middle, Elasticsearch stopped and started once."""
    logs = tmp_path / "logs"
    logs.mkdir()
    stream = "logs-%s-default" % dataset
    lines = {"w1": 66667, "w2": 66667, "w3": 66666}
    one = agent(base_config(node.url, [logs / "*.log*"], dataset)).start()
    writers = [Loggen(logs / (name + ".log"), count, writer=name, rate=2000, burst=10, size=150,
                      rotate_every=3000) for name, count in lines.items()]
    try:
        wait_for(lambda: node.elastic.count(stream) > 10000, what="a first 10,000 documents")
        assert one.stop() == 0
        rotated = len(os.listdir(logs))
        wait_for(lambda: len(os.listdir(logs)) >= rotated + 6, what="rotations while it is down")
        one.start()
        before = node.elastic.count(stream)
        wait_for(lambda: node.elastic.count(stream) > before + 10000, what="it goes on")
        node.stop()
        rotated = len(os.listdir(logs))
        wait_for(lambda: len(os.listdir(logs)) >= rotated + 3, what="rotations during the outage")
        node.start()
        for writer in writers:
            writer.wait()
    finally:
        for writer in writers:
            writer.kill()
    node.elastic.wait_count(stream, 200000, deadline=120)
    found = [(id_, source) for id_, source, _ in node.elastic.all(stream)]
    checker = seqline.Checker()
    for _, source in found:
        checker.add(source["message"])
    checker.assert_exactly(lines)
    assert_generations_are_files(found, logs)
    assert len({id_ for id_, _ in found}) == 200000
    assert one.stop() == 0
    for run in one.runs:
        assert run.ledger["dead_lettered"]["lines"] == 0
        assert run.ledger["abandoned"]["lines"] == 0
    acknowledged = sum(run.ledger["acknowledged"]["lines"] for run in one.runs)
    assert acknowledged >= 200000, "what was in flight at the restart is read again, once"


SMALLEST = """\
path.data: ./data
metadata: []
inputs:
  - paths: ["/var/log/*.log", "/srv/app/**/*.log"]
    dataset: generic
metrics.enabled: false            # default true
output.elasticsearch:
  hosts: ["http://127.0.0.1:9200"]
  compression: none               # none | gzip; default gzip, none on loopback
"""


@pytest.fixture
def app_logs(tmp_path, dataset):
    """A directory below /srv/app, or a stand-in where that cannot be written."""
    base = "/srv/app"
    try:
        os.makedirs(os.path.join(base, dataset, "deep"))
    except OSError:
        base = str(tmp_path / "srv")
        os.makedirs(os.path.join(base, dataset, "deep"))
    path = os.path.join(base, dataset)
    yield base, path
    for directory, _, names in os.walk(path, topdown=False):
        for name in names:
            os.unlink(os.path.join(directory, name))
        os.rmdir(directory)


@pytest.mark.elastic
def test_smallest_configuration_as_written(agent, elastic, dataset, app_logs):
    base, path = app_logs
    text = SMALLEST.replace("http://127.0.0.1:9200", elastic.url).replace("/srv/app", base)
    for name in ("a.log", "deep/b.log", "deep/not-a-log.txt"):
        with open(os.path.join(path, name), "w") as f:
            f.write("first of %s\nsecond of %s\n" % (name, name))
    one = agent(text).start()
    query = {"prefix": {"log.file.path": path}}
    stream = "logs-generic-default"
    wait_for(lambda: _count(elastic, stream, query) == 4, what="four documents", interval=0.2)
    with open(os.path.join(path, "deep", "late.log"), "w") as f:
        f.write("late\n")
    wait_for(lambda: _count(elastic, stream, query) == 5, what="a fifth", interval=0.2)
    found = elastic.search(stream, query)
    assert sorted((d["log"]["file"]["path"][len(path):], d["message"]) for d in found) == [
        ("/a.log", "first of a.log"), ("/a.log", "second of a.log"),
        ("/deep/b.log", "first of deep/b.log"), ("/deep/b.log", "second of deep/b.log"),
        ("/deep/late.log", "late")]
    for document in found:
        assert sorted(document) == ["@timestamp", "log", "message"]
        assert sorted(document["log"]) == ["file"]
    assert one.stop() == 0
    assert os.path.isdir(os.path.join(one.directory, "data", "registry"))


def _count(elastic, stream, query):
    elastic.refresh(stream)
    return elastic.call("POST", "/%s/_count?ignore_unavailable=true&allow_no_indices=true" % stream,
                        {"query": query})["count"]


@pytest.mark.elastic
def test_once_into_elasticsearch_with_gzip(agent, elastic, dataset, tmp_path):
    """The sources of the project themselves: real text with every kind of character."""
    stream = "logs-%s-default" % dataset
    (tmp_path / "logs").mkdir()
    expected = []
    for directory, _, names in os.walk(os.path.join(ROOT, "include")):
        for name in names:
            with open(os.path.join(directory, name), encoding="utf-8") as f:
                text = f.read()
            log = "%s-%s.log" % (os.path.basename(directory), name)
            (tmp_path / "logs" / log).write_text(text, encoding="utf-8")
            expected += [line for line in text.split("\n") if line]
    one = agent(base_config(elastic.url, [tmp_path / "logs" / "*.log"], dataset,
                            output__compression="gzip"))
    one.run_once()
    elastic.wait_count(stream, len(expected))
    assert sorted(s["message"] for _, s, _ in elastic.all(stream)) == sorted(expected)
    assert one.ledger["documents"]["created"] == len(expected)
    one.run_once()
    assert elastic.count(stream) == len(expected)
    assert one.ledger["read"]["lines"] == 0, "the second run has nothing to read"
