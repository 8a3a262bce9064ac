"""SIGHUP: another configuration while the agent runs."""

import os
import signal

import fault_server as fs
from tools import Loggen, loggen
from waiting import wait_for
from wherry import FAST_RETRY, OK, base_config


def reload(one, config, answer="SIGHUP: the configuration was taken over"):
    """Writes the file and waits for what is said of it."""
    seen = len(one.log_lines("SIGHUP: "))
    one.write_config(config)
    one.send_signal(signal.SIGHUP)
    wait_for(lambda: len(one.log_lines("SIGHUP: ")) > seen, 20, "a word about SIGHUP")
    said = one.log_lines("SIGHUP: ")[-1]
    assert answer in said, said


def inputs_of(url, *inputs, **more):
    """inputs: (id, path, dataset)"""
    config = base_config(url, [], **FAST_RETRY, **more)
    config["inputs"] = [{"id": i, "paths": [os.fspath(p)], "dataset": d} for i, p, d in inputs]
    return config


def test_files_go_on_without_gap_or_repeat(agent, sink, tmp_path):
    """Inputs come and go under load; those that stay do not notice."""
    stays = ("stays", tmp_path / "w1.log", "one")
    goes = ("goes", tmp_path / "w2.log", "two")
    comes = ("comes", tmp_path / "w3.log", "three")
    loggen(tmp_path / "w3.log", 5000, writer="w3")
    one = agent(inputs_of(sink.url, stays, goes)).start()
    writer = Loggen(tmp_path / "w1.log", 30000, writer="w1", rate=10000, burst=10,
                    rotate_every=7000)
    loggen(tmp_path / "w2.log", 5000, writer="w2")
    sink.wait_unique(6000)
    for n in range(6):
        reload(one, inputs_of(sink.url, stays, comes if n % 2 == 0 else goes))
    reload(one, inputs_of(sink.url, comes, stays, goes))
    writer.wait()
    sink.wait_unique(40000)
    assert one.stop() == OK
    sink.assert_exactly({"w1": 30000, "w2": 5000, "w3": 5000})
    assert set(sink.stats()["indices"]) == {
        "logs-%s-default" % name for name in ("one", "two", "three")}


def test_deleted_file_is_still_read_to_its_end(agent, server, tmp_path):
    """What is only kept by an open file outlives a reload."""
    loggen(tmp_path / "a.log", 30000)
    server.always(fs.black_hole())
    one = agent(inputs_of(server.url, ("a", tmp_path / "*.log", "one"))).start()
    server.wait_bulks(4)
    os.unlink(tmp_path / "a.log")
    reload(one, inputs_of(server.url, ("a", tmp_path / "*.log", "one"),
                          ("b", tmp_path / "*.txt", "two")))
    server.pause()
    server.always(None)
    server.start()
    server.wait_docs(30000)
    assert len(set(server.messages())) == 30000


def test_what_is_changed_of_an_input_counts_for_new_lines(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 100)
    one = agent(inputs_of(server.url, ("a", tmp_path / "a.log", "before"))).start()
    server.wait_docs(100)
    reload(one, inputs_of(server.url, ("a", tmp_path / "a.log", "after")))
    loggen(tmp_path / "a.log", 100, start_seq=101)
    server.wait_docs(200)
    assert len(server.documents("logs-before-default")) == 100
    assert len(server.documents("logs-after-default")) == 100
    assert one.stop() == OK
    assert one.ledger.inputs["a"]["acknowledged"]["lines"] == 200


def test_input_that_goes_and_comes_back_resumes(agent, server, tmp_path):
    a, b = ("a", tmp_path / "a.log", "one"), ("b", tmp_path / "b.log", "two")
    loggen(tmp_path / "a.log", 100)
    one = agent(inputs_of(server.url, a, b)).start()
    server.wait_docs(100)
    reload(one, inputs_of(server.url, b))
    loggen(tmp_path / "a.log", 100, start_seq=101)
    loggen(tmp_path / "b.log", 10, writer="w2")
    server.wait_docs(110)
    reload(one, inputs_of(server.url, a, b))
    server.wait_docs(210)
    assert server.duplicates == 0
    assert one.stop() == OK


def test_new_input_that_starts_at_the_end(agent, server, tmp_path):
    """For an input that comes with a reload, what is there then is old."""
    loggen(tmp_path / "b.log", 100, writer="old")
    one = agent(inputs_of(server.url, ("a", tmp_path / "a.log", "one"))).start()
    config = inputs_of(server.url, ("a", tmp_path / "a.log", "one"),
                       ("b", tmp_path / "b*.log", "two"))
    config["inputs"][1]["start_at"] = "end"
    reload(one, config)
    loggen(tmp_path / "b.log", 5, writer="new")
    loggen(tmp_path / "b2.log", 5, writer="born")
    server.wait_docs(10)
    assert {m.split()[0] for m in server.messages()} == {"new", "born"}
    assert one.stop() == OK
    assert one.ledger.inputs["b"]["skipped"]["reasons"]["start_at"]["bytes"] == 12000


def test_broken_file_keeps_the_old_configuration(agent, server, tmp_path):
    good = inputs_of(server.url, ("a", tmp_path / "a.log", "one"))
    one = agent(good).start()
    reload(one, "inputs:\n  - paths: [a.log]\n    datset: x\n", "has errors, going on")
    assert one.log_lines(r"agent.yml:3:.*datset"), one.stderr
    loggen(tmp_path / "a.log", 100)
    server.wait_docs(100)
    assert len(server.documents("logs-one-default")) == 100
    reload(one, good)
    assert one.stop() == OK


def test_option_that_needs_a_restart_is_named(agent, server, tmp_path):
    good = inputs_of(server.url, ("a", tmp_path / "a.log", "one"))
    one = agent(good).start()
    for option, value in (("path.data", "./elsewhere"), ("namespace", "other"),
                          ("metrics.period", "1s")):
        changed = dict(good, **{option: value})
        changed["inputs"] = [{"id": "b", "paths": [os.fspath(tmp_path / "b.log")]}]
        reload(one, changed, "%s cannot be changed without a restart" % option)
    wide = inputs_of(server.url, ("a", tmp_path / "a.log", "one"))
    wide["inputs"][0]["max_bytes"] = "8MiB"
    reload(one, wide, "max_bytes")
    loggen(tmp_path / "a.log", 100)
    loggen(tmp_path / "b.log", 100)
    server.wait_docs(100)
    assert not os.path.exists(tmp_path / "elsewhere")
    assert one.stop() == OK
