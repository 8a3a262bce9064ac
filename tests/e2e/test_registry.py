"""wherry registry: what is known of files is shown, forgotten, checked."""

import json
import os
import re
import shutil

import pytest
from tools import loggen
from waiting import wait_for
from wherry import BAD_CONFIG, FAILED, OK, Agent, base_config

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


# ---- registries that were changed from outside

def host(tmp_path, name, machine, boot, uptime=1e6):
    """A file system of a host, for path.hostfs."""
    root = tmp_path / name
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "machine-id").write_text(machine * 32 + "\n")
    (root / "proc" / "sys" / "kernel" / "random").mkdir(parents=True)
    (root / "proc" / "sys" / "kernel" / "random" / "boot_id").write_text(
        "%s-1111-2222-3333-444444444444\n" % (boot * 8))
    (root / "proc" / "uptime").write_text("%.2f 1.00\n" % uptime)
    return str(root)


@pytest.mark.parametrize("machine, boot, uptime, copied", [
    ("a", "b", 1, False),   # the next boot
    ("b", "b", 1, True),    # another machine
    ("a", "b", 1e6, True),  # a machine of the same id that ran at that time already
])
def test_copied_to_another_machine(agent, sink, tmp_path, machine, boot, uptime, copied):
    """The copy goes on at the saved offsets, under ids of its own: nothing lost, nothing repeated."""
    loggen(tmp_path / "a.log", 100, writer="a")
    config = base_config(sink.url, [tmp_path / "a.log"])
    config["path.hostfs"] = host(tmp_path, "one", "a", "a")
    one = agent(config)
    one.run_once()
    before = entries(one)["a.log"]
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    loggen(tmp_path / "a.log", 100, writer="a", start_seq=101)
    config["path.data"] = "./copy"
    config["path.hostfs"] = host(tmp_path, "two", machine, boot, uptime)
    two = agent(config)
    run = two.run_once()
    sink.assert_exactly({"a": 200})
    after = entries(two)["a.log"]
    assert (after["generation"] != before["generation"]) == copied
    assert after["offset"] == (tmp_path / "a.log").stat().st_size
    assert bool(re.search(r"health: registry degraded: a copy: .*new generations", run.stderr)) == copied
    again = two.run_once()
    assert "a copy" not in again.stderr
    assert entries(two)["a.log"]["generation"] == after["generation"]


def newest(registry, kind):
    return max(registry.glob(kind + ".?"), key=lambda p: p.stat().st_mtime_ns)


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def used_bytes(path):
    return len(path.read_bytes().rstrip(b"\0"))


def damaged_copies(registry):
    return [p for p in registry.iterdir() if ".corrupt-" in p.name]


def used_registry(agent, sink, tmp_path):
    """An agent killed while it ran, so that its log holds records; and what of it is on disk."""
    one = agent(base_config(sink.url, [tmp_path / "*.log"]))
    one.start()
    loggen(tmp_path / "a.log", 200, writer="a")
    sink.wait_unique(200)
    size = (tmp_path / "a.log").stat().st_size
    registry = tmp_path / "data" / "registry"
    wait_for(lambda: entries(one_more(one)).get("a.log", {}).get("offset") == size, 20, "saved")
    one.kill()
    return one, registry


def one_more(one):
    """The same agent for a command beside it."""
    more = Agent(one.directory, {}, name=one.name + "-look%d" % len(os.listdir(one.directory)))
    more.config = one.config
    return more


def check_goes_on(one, sink, tmp_path, warning, repeats):
    """It starts, says what it found, loses nothing, and is whole again afterwards."""
    loggen(tmp_path / "a.log", 100, writer="a", start_seq=201)
    run = one.run_once()
    stats = sink.stats()
    assert sink.missing("a", 300)["missing"] == 0 and stats["altered"] == 0
    assert (stats["repeated_lines"] > 0) == repeats, stats
    if warning:
        assert re.search(r"warn registry: .*%s" % warning, run.stderr), run.stderr
        assert "health: registry degraded" in run.stderr
    else:
        assert "health: registry" not in run.stderr
    again = one.run_once()
    assert "registry:" not in again.stderr and "health: registry" not in again.stderr
    assert sink.stats()["repeated_lines"] == stats["repeated_lines"]


@pytest.mark.parametrize("kind", ["log", "checkpoint"])
def test_file_of_zero_length(agent, sink, tmp_path, kind):
    one, registry = used_registry(agent, sink, tmp_path)
    newest(registry, kind).write_bytes(b"")
    check_goes_on(one, sink, tmp_path, "missing or empty|no usable checkpoint", kind == "log")


def test_all_files_of_zero_length(agent, sink, tmp_path):
    one, registry = used_registry(agent, sink, tmp_path)
    for path in registry.iterdir():
        path.write_bytes(b"")
    check_goes_on(one, sink, tmp_path, "no usable checkpoint", True)


def test_bit_flipped_in_the_middle(agent, sink, tmp_path):
    one, registry = used_registry(agent, sink, tmp_path)
    flip(newest(registry, "log"), HEADER_BYTES + 30)
    check_goes_on(one, sink, tmp_path, "damaged in the middle", True)
    assert damaged_copies(registry)


def test_bit_flipped_in_a_header(agent, sink, tmp_path):
    """Records verify by themselves."""
    one, registry = used_registry(agent, sink, tmp_path)
    flip(newest(registry, "log"), 20)
    check_goes_on(one, sink, tmp_path, "damaged header", False)


def test_truncated_within_a_record(agent, sink, tmp_path):
    """Looks like the end of a crash: the rest of it is read again and known by its ids."""
    one, registry = used_registry(agent, sink, tmp_path)
    log = newest(registry, "log")
    os.truncate(log, used_bytes(log) // 8 * 8 - 16)
    check_goes_on(one, sink, tmp_path, None, False)


def test_newer_version_is_left_alone(agent, sink, tmp_path):
    """It ships, in memory, and does not touch what it does not understand."""
    one, registry = used_registry(agent, sink, tmp_path)
    for path in registry.iterdir():
        content = bytearray(path.read_bytes())
        if any(content[:HEADER_BYTES]):
            content[8] += 1
            content[60:64] = crc32c(content[:60]).to_bytes(4, "little")
            path.write_bytes(content)
    before = {p.name: p.read_bytes() for p in registry.iterdir()}
    run = one.run_once()
    assert "newer version" in run.stderr and "health: registry degraded" in run.stderr
    assert sink.missing("a", 200)["missing"] == 0
    assert {p.name: p.read_bytes() for p in registry.iterdir()} == before
    code, _, err = one.command("registry", "list")
    assert code == FAILED and "newer version" in err
    code, out, err = one.command("registry", "forget", "--missing")
    assert {p.name: p.read_bytes() for p in registry.iterdir()} == before


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff
