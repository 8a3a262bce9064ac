"""The other outputs: files, standard output, nothing."""

import json
import os
import resource
import subprocess

import pytest
import seqline
from tools import loggen
from waiting import wait_for
from wherry import BAD_CONFIG, BINARY, OK, base_config


def config(tmp_path, **more):
    """One input, files of tmp_path/in; the output's options as {"output.file.path": ...}."""
    settings = base_config("http://127.0.0.1:1", [tmp_path / "in" / "*.log"])
    del settings["output.elasticsearch"]
    settings.update(more)
    return settings


def to_file(tmp_path, **more):
    options = {"output.file.path": str(tmp_path / "out")}
    options.update({"output.file." + name: value for name, value in more.items()})
    return config(tmp_path, **options)


@pytest.fixture
def logs(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def read_lines(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    assert text.endswith("\n") or not text
    return [json.loads(line) for line in text.splitlines()]


def documents(tmp_path):
    found = []
    for name in sorted(os.listdir(tmp_path / "out")):
        found += read_lines(tmp_path / "out" / name)
    return found


def assert_all(found, last, writer="w1"):
    checker = seqline.Checker()
    for document in found:
        checker.add(document["message"])
    checker.assert_exactly({writer: last})


# ---- files


def test_file(agent, logs, tmp_path):
    loggen(logs / "a.log", 1000)
    run = agent(to_file(tmp_path)).run_once()
    assert os.listdir(tmp_path / "out") == ["wherry"]
    found = read_lines(tmp_path / "out" / "wherry")
    assert_all(found, 1000)
    assert [d["log"]["offset"] for d in found] == [n * 120 for n in range(1000)], "in order"
    assert found[0]["data_stream"]["dataset"] == "generic" and "@timestamp" in found[0]
    assert run.ledger["acknowledged"]["lines"] == 1000
    assert run.ledger["documents"]["created"] == 1000
    assert os.stat(tmp_path / "out" / "wherry").st_mode & 0o777 == 0o600


def test_file_goes_on(agent, logs, tmp_path):
    """A second life appends; what is acknowledged is not written again."""
    loggen(logs / "a.log", 100)
    one = agent(to_file(tmp_path, filename="docs.ndjson"))
    one.run_once()
    loggen(logs / "a.log", 100, start_seq=101)
    one.run_once()
    assert_all(read_lines(tmp_path / "out" / "docs.ndjson"), 200)


def test_file_is_rotated(agent, logs, tmp_path):
    loggen(logs / "a.log", 3000)
    settings = to_file(tmp_path, rotate_every_kb=256, number_of_files=100)
    settings["output.elasticsearch.bulk_max_bytes"] = "64KiB"
    settings["output.elasticsearch.enabled"] = False
    agent(settings).run_once()
    names = sorted(os.listdir(tmp_path / "out"))
    assert len(names) >= 5 and "wherry" in names and "wherry.1" in names
    assert all(os.stat(tmp_path / "out" / n).st_size <= 256 << 10 for n in names)
    assert_all(documents(tmp_path), 3000)
    order = ["wherry.%d" % n for n in range(len(names) - 1, 0, -1)] + ["wherry"]
    offsets = [d["log"]["offset"] for n in order for d in read_lines(tmp_path / "out" / n)]
    assert offsets == sorted(offsets)


def test_oldest_files_go(agent, logs, tmp_path):
    loggen(logs / "a.log", 3000)
    settings = to_file(tmp_path, rotate_every_kb=100, number_of_files=3)
    settings["output.elasticsearch.bulk_max_bytes"] = "64KiB"
    settings["output.elasticsearch.enabled"] = False
    agent(settings).run_once()
    assert sorted(os.listdir(tmp_path / "out")) == ["wherry", "wherry.1", "wherry.2"]
    assert read_lines(tmp_path / "out" / "wherry")[-1]["log"]["offset"] == 2999 * 120


def test_file_after_kill(agent, logs, tmp_path):
    """Killed while it writes: no line is missing and none is torn. (Lines that were written but not
    yet known to be may come twice.)"""
    one = agent(to_file(tmp_path, rotate_every_kb=1 << 20))
    loggen(logs / "a.log", 20000)
    written = tmp_path / "out" / "wherry"
    before = 0
    for n in range(1, 4):
        one.start()
        wait_for(lambda: written.exists() and written.stat().st_size > before, what="it writes")
        one.kill()
        before = written.stat().st_size
        loggen(logs / "a.log", 20000, start_seq=20000 * n + 1)
    with open(written, "ab") as f:
        f.write(b'{"@timestamp":"torn')
    one.run_once()
    found = read_lines(written)
    assert {d["message"] for d in found} == set((logs / "a.log").read_text().splitlines())
    assert not any("torn" in json.dumps(d) for d in found)


def test_full_disk_waits(agent, logs, tmp_path):
    """No space: nothing is acknowledged, health says why, all is written once there is room."""
    loggen(logs / "a.log", 5000)
    settings = to_file(tmp_path, rotate_every_kb=1 << 20)
    settings["output.elasticsearch.bulk_max_bytes"] = "64KiB"
    settings["output.elasticsearch.enabled"] = False
    settings["output.elasticsearch.backoff.init"] = "20ms"
    settings["output.elasticsearch.backoff.max"] = "200ms"
    one = agent(settings)
    limit = 512 << 10  # a file size limit stands for a full disk; the registry is smaller
    one.start()
    resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    loggen(logs / "b.log", 20000, writer="w2")
    line = one.wait_log("health: output degraded")
    assert "File too large" in line and "wherry" in line
    resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,
                                                      resource.RLIM_INFINITY))
    one.wait_log("health: output ok")
    wait_for(lambda: (tmp_path / "out" / "wherry").read_bytes().count(b"\n") == 25000,
             what="all lines")
    assert one.stop() == OK
    assert one.ledger["acknowledged"]["lines"] == 25000
    assert len(documents(tmp_path)) == 25000


def test_file_does_not_feed_on_itself(agent, logs, tmp_path):
    """An input that matches the output's files does not read them."""
    loggen(logs / "a.log", 100)
    settings = to_file(tmp_path, filename="docs[1].log")
    settings["output.file.path"] = "./in"
    one = agent(settings).start()
    wait_for(lambda: os.path.exists(logs / "docs[1].log"), what="output")
    loggen(logs / "b.log", 100, writer="w2")
    wait_for(lambda: len(read_lines(logs / "docs[1].log")) == 200, what="both files")
    assert one.stop() == OK
    assert one.ledger["read"]["lines"] == 200


def test_metrics_go_there_too(agent, logs, tmp_path):
    settings = to_file(tmp_path)
    settings.update({"metrics.enabled": True, "metrics.period": "1s"})
    one = agent(settings).start()
    wait_for(lambda: os.path.exists(tmp_path / "out" / "wherry") and
             len(read_lines(tmp_path / "out" / "wherry")) >= 4, what="metrics")
    assert one.stop() == OK
    assert {d["data_stream"]["type"] for d in documents(tmp_path)} == {"metrics"}


@pytest.mark.parametrize("name", ["link", "directory", "fifo"])
def test_odd_files_are_refused(agent, logs, tmp_path, name):
    """Nothing but a regular file is written to."""
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "wherry"
    if name == "link":
        os.symlink(tmp_path / "elsewhere", path)
    elif name == "directory":
        path.mkdir()
    else:
        os.mkfifo(path)
    loggen(logs / "a.log", 10)
    settings = to_file(tmp_path)
    settings["shutdown_timeout"] = "100ms"
    one = agent(settings).start()
    one.wait_log("health: output degraded")
    assert one.stop() == OK
    assert one.ledger["acknowledged"]["lines"] == 0
    assert not os.path.exists(tmp_path / "elsewhere")


# ---- standard output


def test_console(agent, logs, tmp_path):
    loggen(logs / "a.log", 1000)
    run = agent(config(tmp_path, **{"output.console.enabled": True})).run_once()
    assert_all([json.loads(line) for line in run.stdout.splitlines()], 1000)
    assert run.ledger["acknowledged"]["lines"] == 1000


def test_console_reader_is_slow_then_gone(agent, logs, tmp_path):
    """A pipe: nothing is acknowledged before it is written, and without a reader the agent ends."""
    loggen(logs / "a.log", 20000)
    one = agent(config(tmp_path, **{"output.console.enabled": True}))
    process = subprocess.Popen([BINARY, "run", "--once", "-c", one.config], cwd=one.directory,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first = process.stdout.readline()
    assert json.loads(first)["log"]["offset"] == 0
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"nobody reads standard output" in err


# ---- nothing


def test_discard(agent, logs, tmp_path):
    loggen(logs / "a.log", 10000)
    run = agent(config(tmp_path, **{"output.discard.enabled": True})).run_once()
    assert run.ledger["acknowledged"]["lines"] == 10000 and run.stdout == ""


# ---- commands


def test_two_outputs_are_one_too_many(agent, logs, tmp_path):
    one = agent(to_file(tmp_path, **{}) | {"output.console.enabled": True})
    code, _, err = one.command("test", "config")
    assert code == BAD_CONFIG and "output" in err


def test_output_is_tested(agent, logs, tmp_path):
    for settings, text in ((to_file(tmp_path), "will be made"),
                           (config(tmp_path, **{"output.console.enabled": True}), "standard output"),
                           (config(tmp_path, **{"output.discard.enabled": True}), "dropped")):
        code, out, _ = agent(settings).command("test", "output")
        assert code == OK and text in out
    assert not (tmp_path / "out").exists()


def test_replay_needs_elasticsearch(agent, logs, tmp_path):
    one = agent(to_file(tmp_path))
    os.makedirs(tmp_path / "data" / "deadletter")
    code, _, err = one.command("deadletter", "replay")
    assert code == BAD_CONFIG and "Elasticsearch" in err
