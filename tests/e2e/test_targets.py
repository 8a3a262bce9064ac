"""Indices in place of data streams: their names, the date in them, pipelines."""

import datetime
import json
import os
import re
import subprocess
import threading

import fault_server as fs
import pytest
from tools import loggen
from waiting import wait_for
from wherry import BAD_CONFIG, BINARY, FAST_RETRY, NOT_ALL, OK, base_config

# CLOCK_REALTIME as the agent sees it, moved by the seconds in a file
SHIFT = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *ts)
{
    static int (*next)(clockid_t, struct timespec *);
    if (next == NULL)
        next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int r = next(id, ts);
    long shift = 0;
    FILE *f = id == CLOCK_REALTIME ? fopen(getenv("SHIFT_FILE"), "r") : NULL;
    if (f != NULL) {
        if (fscanf(f, "%ld", &shift) == 1)
            ts->tv_sec += shift;
        fclose(f);
    }
    return r;
}
"""


def day(shift=0):
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=shift)
    return now.strftime("%Y.%m.%d")


def config(server, tmp_path, index, **more):
    return base_config(server.url, [tmp_path / "*.log"], output__index=index,
                       **{**FAST_RETRY, **more})


def sanitizer():
    """The runtime that the agent is linked with: it must be the first library."""
    linked = subprocess.run(["ldd", BINARY], stdout=subprocess.PIPE, text=True, check=True).stdout
    return re.findall(r"=> (/\S*/lib[at]san\.so\S*)", linked)


class Clock:
    """The wall clock of an agent, set to a time of day and moved."""

    def __init__(self, directory):
        source = os.path.join(directory, "shift.c")
        library = os.path.join(directory, "shift.so")
        self._file = os.path.join(directory, "shift")
        with open(source, "w", encoding="utf-8") as f:
            f.write(SHIFT)
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        self.env = {"LD_PRELOAD": " ".join([*sanitizer(), library]), "SHIFT_FILE": self._file}
        now = datetime.datetime.now(datetime.timezone.utc)
        noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
        self.set(int((noon - now).total_seconds()))

    def set(self, shift):
        self.shift = shift
        with open(self._file + ".new", "w", encoding="utf-8") as f:
            f.write(str(shift))
        os.rename(self._file + ".new", self._file)

    def add_days(self, days):
        self.set(self.shift + 86400 * days)

    @property
    def day(self):
        return day(self.shift)


@pytest.fixture
def clock(tmp_path):
    (tmp_path / "clock").mkdir()
    return Clock(str(tmp_path / "clock"))


# ---- names


@pytest.mark.parametrize("pattern, name", [
    ("plain", "plain"),
    ("isp-logs-%{+yyyy.MM.dd}", "isp-logs-%Y.%m.%d"),
    ("isp-logs-%Y.%m.%d", "isp-logs-%Y.%m.%d"),
    ("isp-%{[fields.site]}-%{+xxxx.ww}", "isp-north-%G.%V"),
    ("isp-%{[data_stream.dataset]}-%{[fields.none]:rest}-%F", "isp-web-rest-%Y-%m-%d"),
], ids=["plain", "java", "strftime", "fields_week", "default"])
def test_names(agent, server, tmp_path, pattern, name):
    loggen(tmp_path / "a.log", 100)
    one = agent(config(server, tmp_path, pattern, input__fields={"site": "North"},
                       input__dataset="web"))
    before = datetime.datetime.now(datetime.timezone.utc)
    one.run_once()
    after = datetime.datetime.now(datetime.timezone.utc)
    assert {i for i, _ in server.docs} <= {before.strftime(name), after.strftime(name)}
    assert len(server.docs) == 100
    for request in server.bulks:
        assert "require_data_stream" not in request.query and "pipeline" not in request.query
        assert "_index" not in request.body.decode()
    document = server.documents()[0]
    assert "data_stream" not in document and document["event"] == {"dataset": "web"}


@pytest.mark.parametrize("index, text", [
    ("Logs", "lower case"), ("_logs", "begin with"), ("logs-%{+HH}", "whole days"),
    ("logs-%{+'x'}", "without digits"), ("logs-%{[fields.none]}", "fields.none"),
    ("%{[fields.site]}-logs", "must begin with text"), ("logs-%{[fields.slash]}", "none of"),
    ("logs-%{+yyyy", "not closed"), ("a" * 256, "255"),
])
def test_wrong_names(agent, server, tmp_path, index, text):
    one = agent(config(server, tmp_path, index, input__fields={"site": "x", "slash": "a/b"}))
    for words in (["test", "config"], ["test", "output"], ["run"]):
        code, out, err = one.command(*words)
        assert code == BAD_CONFIG, err
        assert text in err and ("output.elasticsearch.index" in err)
    assert not server.requests


def test_several_targets(agent, server, tmp_path):
    """Batches are per target."""
    loggen(tmp_path / "a.log", 200)
    loggen(tmp_path / "b.log", 300, writer="w2")
    settings = config(server, tmp_path, "logs-%{[fields.team]:none}-%{+yyyy}")
    settings["inputs"] = [
        {"paths": [str(tmp_path / "a.log")], "fields": {"team": "web"}},
        {"paths": [str(tmp_path / "b.log")]}]
    agent(settings).run_once()
    year = day()[:4]
    assert len(server.documents("logs-web-%s" % year)) == 200
    assert len(server.documents("logs-none-%s" % year)) == 300


def test_old_server_needs_no_template(agent, tmp_path):
    """No data stream is meant, so none is asked for."""
    loggen(tmp_path / "a.log", 10)
    with fs.FaultServer(version="7.17.29") as server:
        server.templates = False
        agent(config(server, tmp_path, "logs-%Y")).run_once()
        assert len(server.docs) == 10


def test_metrics_stay_in_their_data_streams(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 10)
    settings = config(server, tmp_path, "isp-%Y", output__pipeline="parse")
    settings.update({"metrics.enabled": True, "metrics.period": "1s"})
    one = agent(settings).start()
    wait_for(lambda: len({i for i, _ in server.docs}) >= 4, what="metrics")
    assert one.stop() == OK
    for request in server.bulks:
        is_log = request.path.startswith("/isp-")
        assert ("require_data_stream" in request.query) != is_log
        assert ("pipeline" in request.query) == is_log


# ---- pipelines, output test


def test_pipeline(agent, server, tmp_path):
    """With data streams too; whatever it is called."""
    loggen(tmp_path / "a.log", 10)
    agent(base_config(server.url, [tmp_path / "*.log"], output__pipeline="a b&c=d")).run_once()
    assert len(server.docs) == 10
    for request in server.bulks:
        assert request.query["pipeline"] == "a b&c=d"
        assert request.query["require_data_stream"] == "true"


def test_output_is_tested(agent, server, tmp_path):
    code, out, err = agent(config(server, tmp_path, "isp-%F")).command("test", "output")
    assert code == OK, out + err
    assert "may write to isp-" in out and "template" not in out
    assert not server.docs and not server.bulks


def test_dead_letters_go_the_same_way(agent, server, tmp_path):
    (tmp_path / "a.log").write_text("good\nbad\n")
    server.always(fs.reject_messages("bad"))
    one = agent(config(server, tmp_path, "isp-%F", output__pipeline="parse"))
    one.run_once(allowed=[NOT_ALL])
    server.always(None)
    code, out, _ = one.command("deadletter", "show", "1.1", "--json")
    assert json.loads(out)["pipeline"] == "parse"
    assert one.command("deadletter", "replay")[0] == OK
    last = server.bulks[-1]
    assert last.path.startswith("/isp-") and last.messages == ["bad"]
    assert last.query["pipeline"] == "parse" and "require_data_stream" not in last.query


# ---- the day


def test_midnight(agent, server, tmp_path, clock):
    """The day on which the bytes were read."""
    log = tmp_path / "a.log"
    one = agent(config(server, tmp_path, "isp-%{+yyyy.MM.dd}"), env=clock.env)
    log.write_text("one\n")
    one.start()
    server.wait_docs(1)
    first = clock.day
    clock.add_days(1)
    with open(log, "a") as f:
        f.write("two\n")
    server.wait_docs(2)
    second = clock.day
    assert one.stop() == OK
    assert server.messages("isp-" + first) == ["one"]
    assert server.messages("isp-" + second) == ["two"]
    for document in server.documents():
        assert document["@timestamp"][:10].replace("-", ".") == (
            first if document["message"] == "one" else second)


def test_sent_again_after_a_crash_it_has_its_day(agent, server, tmp_path, clock):
    """The server has the documents, the agent dies before it knows, and is started days later: the
    same index answers 409. What is new has the new day, once the old is told."""
    log = tmp_path / "a.log"
    loggen(log, 500)
    one = agent(config(server, tmp_path, "isp-%{+yyyy.MM.dd}"), env=clock.env)
    server.script(fs.black_hole(apply=True))
    one.start()
    wait_for(lambda: len(server.docs) > 0, what="documents taken")
    first = clock.day
    one.kill()
    clock.add_days(3)
    one.start()
    server.wait_docs(500)
    assert one.stop() == OK
    assert {i for i, _ in server.docs} == {"isp-" + first}
    assert server.duplicates > 0
    loggen(log, 100, start_seq=501)
    one.start()
    server.wait_docs(600)
    assert one.stop() == OK
    assert len(server.documents("isp-" + clock.day)) == 100, "after a clean stop nothing is in doubt"
    assert len(set(server.messages())) == 600


def test_two_days_on_their_way(agent, server, tmp_path, clock):
    """Lines of several days wait for an answer when the agent dies: each goes back to its own day."""
    log = tmp_path / "a.log"
    release = threading.Event()
    server.always(fs.hold(release, fs.close_without_answer(), apply_first=False))
    one = agent(config(server, tmp_path, "isp-%{+yyyy.MM.dd}"), env=clock.env)
    log.write_text("")
    one.start()
    days = []
    for n in range(1, 4):
        with open(log, "a") as f:
            f.write("day %d\n" % n)
        server.wait_bulks(n)
        days.append(clock.day)
        clock.add_days(1)
    one.kill()
    release.set()
    server.always(None)
    one.start()
    server.wait_docs(3)
    assert one.stop() == OK
    assert {i: server.messages(i) for i, _ in server.docs} == {
        "isp-" + day: ["day %d" % (n + 1)] for n, day in enumerate(days)}


# ---- Elasticsearch


@pytest.mark.elastic
def test_real_index_and_pipeline(agent, elastic, dataset, tmp_path):
    index = "isp-%s" % dataset
    elastic.call("PUT", "/_ingest/pipeline/" + dataset, {"processors": [
        {"set_security_user": {"field": "user", "ignore_failure": True}}]})
    loggen(tmp_path / "a.log", 1000)
    one = agent(base_config(elastic.url, [tmp_path / "*.log"], dataset, output__pipeline=dataset,
                            output__index=index + "-%{+yyyy.MM.dd}"))
    before = day()
    one.run_once()
    elastic.wait_count(index + "-*", 1000)
    found = list(elastic.all(index + "-*"))
    assert {i for _, _, i in found} <= {"%s-%s" % (index, d) for d in (before, day())}
    assert not any("data_stream" in source for _, source, _ in found)
    nodes = elastic.call("GET", "/_nodes/stats/ingest")["nodes"].values()
    assert sum(n["ingest"]["pipelines"][dataset]["count"] for n in nodes) == 1000
