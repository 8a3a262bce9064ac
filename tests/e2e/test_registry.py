"""wherry registry: what is known of files is shown, forgotten, checked."""

import json
import os

from tools import loggen
from waiting import wait_for
from wherry import BAD_CONFIG, FAILED, OK, base_config

HEADER_BYTES = 64


def entries(one, *more):
    code, out, err = one.command("registry", "list", "--json", *more)
    assert code == OK, err
    return {os.path.basename(e["path"]): e for e in map(json.loads, out.splitlines())}


def shipped(agent, sink, tmp_path, *names, lines=100):
    """An agent that has run once over some files."""
    for name in names:
        loggen(tmp_path / name, lines, writer=name.split(".")[0])
    one = agent(base_config(sink.url, [tmp_path / "*.log"]))
    one.run_once()
    return one


def test_list(agent, sink, tmp_path):
    one = shipped(agent, sink, tmp_path, "a.log", "b.log")
    found = entries(one)
    assert sorted(found) == ["a.log", "b.log"]
    for name, e in found.items():
        st = os.stat(tmp_path / name)
        assert e["path"] == str(tmp_path / name)
        assert (e["offset"], e["inode"], e["device"]) == (st.st_size, st.st_ino, st.st_dev)
        assert e["head"] == 1024 and len(e["generation"]) == 12
        assert e["updated"].endswith("Z") and e["updated"] > "2020"
    code, out, err = one.command("registry", "list")
    assert code == OK and err == ""
    head, *rows = out.splitlines()
    assert head.split() == ["GENERATION", "UPDATED", "OFFSET", "INODE", "PATH"]
    assert {row.split()[0]: row.split()[4] for row in rows} == {
        e["generation"]: e["path"] for e in found.values()}


def test_list_of_hostile_names(agent, sink, tmp_path):
    name = "new\nline \x1b[31m é.log"
    loggen(tmp_path / name, 10, writer="a")
    one = agent(base_config(sink.url, [tmp_path / "*.log"]))
    one.run_once()
    assert list(entries(one)) == [name]
    _, out, _ = one.command("registry", "list")
    assert len(out.splitlines()) == 2 and "\x1b" not in out
    assert out.endswith("/new\\x0aline \\x1b[31m é.log\n")


def test_list_beside_a_running_agent(agent, sink, tmp_path):
    """Nothing is written and nothing is locked by looking."""
    log = tmp_path / "a.log"
    one = agent(base_config(sink.url, [log]))
    other = agent(base_config(sink.url, [log]), name="looker")
    one.start()
    loggen(log, 500, writer="a")
    sink.wait_unique(500)
    size = log.stat().st_size
    wait_for(lambda: entries(other).get("a.log", {}).get("offset") == size, 20, "the offset saved")
    loggen(log, 500, writer="a", start_seq=501)
    sink.wait_unique(1000)
    assert one.stop() == OK
    assert "registry" not in "".join(one.log_lines("WARN|ERROR|health"))
    sink.assert_exactly({"a": 1000})
    assert entries(other)["a.log"]["offset"] == log.stat().st_size


def test_nothing_to_list(agent, sink, tmp_path):
    one = agent(base_config(sink.url, [tmp_path / "*.log"]))
    code, out, err = one.command("registry", "list")
    assert code == OK and "no registry" in err and out == ""
    assert not (tmp_path / "data").exists(), "looking makes nothing"
    assert one.command("registry", "forget", "--missing")[0] == FAILED


def test_forgotten_file_is_read_again(agent, sink, tmp_path):
    one = shipped(agent, sink, tmp_path, "a.log", "b.log")
    before = entries(one)
    code, out, _ = one.command("registry", "forget", str(tmp_path / "a.log"))
    assert code == OK and out == "1 forgotten\n"
    assert entries(one) == {"b.log": before["b.log"]}
    one.run_once()
    after = entries(one)
    assert after["b.log"] == before["b.log"]
    assert after["a.log"]["generation"] != before["a.log"]["generation"]
    assert after["a.log"]["offset"] == before["a.log"]["offset"]
    assert sink.stats()["repeated_lines"] == 100, "what is forgotten is new"
    code, out, err = one.command("registry", "forget", "/no/such/file")
    assert code == FAILED and "/no/such/file" in err


def test_forget_missing(agent, sink, tmp_path):
    one = shipped(agent, sink, tmp_path, "a.log", "b.log", "c.log")
    (tmp_path / "a.log").unlink()
    (tmp_path / "c.log").unlink()
    code, out, _ = one.command("registry", "forget", "--missing")
    assert code == OK and out == "2 forgotten\n"
    assert list(entries(one)) == ["b.log"]
    code, out, _ = one.command("registry", "forget", "--missing")
    assert code == OK and out == "0 forgotten\n"


def test_forget_refuses_beside_a_running_agent(agent, sink, tmp_path):
    one = shipped(agent, sink, tmp_path, "a.log")
    other = agent(base_config(sink.url, [tmp_path / "*.log"]), name="looker")
    before = entries(one)
    one.start()
    code, out, err = other.command("registry", "forget", str(tmp_path / "a.log"))
    assert code == FAILED and out == ""
    assert "stop it first" in err and "pid %d" % one.pid in err
    assert one.stop() == OK
    assert entries(one)["a.log"]["generation"] == before["a.log"]["generation"]
    sink.assert_exactly({"a": 100})


def test_forgetting_keeps_a_clean_stop(agent, sink, tmp_path):
    """The host was stopped in order: what is forgotten does not make it a power loss."""
    one = shipped(agent, sink, tmp_path, "a.log", "b.log")
    registry = tmp_path / "data" / "registry"

    def last_boot():
        newest = max(registry.glob("checkpoint.?"), key=lambda p: p.stat().st_mtime_ns)
        _, out, _ = one.command("registry", "check", str(newest))
        return [line for line in out.splitlines() if " CLEAN " in line][-1].split(None, 3)[3]
    assert one.command("registry", "forget", str(tmp_path / "b.log"))[0] == OK
    assert last_boot().startswith("stop ")


def test_check_of_whole_files(agent, sink, tmp_path):
    one = shipped(agent, sink, tmp_path, "a.log")
    registry = tmp_path / "data" / "registry"
    said = ""
    for path in sorted(registry.iterdir()):
        code, out, err = one.command("registry", "check", str(path))
        assert code == OK and err == "", (path, out)
        assert out.splitlines()[-1].endswith(("whole", "never written"))
        said += out
    assert str(tmp_path / "a.log") in said
    assert " GEN " in said and " OFFSET " in said and " CLEAN " in said
    assert one.command("registry", "check", str(registry / "none"))[0] == FAILED


def test_check_names_the_first_bad_offset(agent, sink, tmp_path):
    one = shipped(agent, sink, tmp_path, "a.log")
    logs = [p for p in (tmp_path / "data" / "registry").glob("log.?")]
    log = max(logs, key=lambda p: len(p.read_bytes().rstrip(b"\0")))
    code, out, _ = one.command("registry", "check", str(log))
    places = [int(line.split()[0]) for line in out.splitlines()[:-1]]
    assert code == OK and places[0] == HEADER_BYTES and len(places) > 3
    content = bytearray(log.read_bytes())
    content[places[1] + 30] ^= 1
    log.write_bytes(content)
    code, out, _ = one.command("registry", "check", str(log))
    assert code == FAILED
    assert "first bad offset %d, " % places[1] in out.splitlines()[-1]
    (tmp_path / "text").write_text("not a registry\n" * 20)
    code, out, _ = one.command("registry", "check", str(tmp_path / "text"))
    assert code == FAILED and "header" in out


def test_wrong_usage(agent, sink, tmp_path):
    one = agent(base_config(sink.url, [tmp_path / "*.log"]))
    for words in (["list", "more"], ["forget"], ["forget", "a", "--missing"], ["check"],
                  ["mend"], ["list", "--all"], ["forget", "a", "--json"]):
        code, out, err = one.command("registry", *words)
        assert code == BAD_CONFIG and out == "" and err, words
    assert one.command("test", "config", "--missing")[0] == BAD_CONFIG
