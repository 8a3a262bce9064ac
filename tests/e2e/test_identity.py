"""Whose content is this? What decides is evidence: never the size, the time or the inode alone."""

import os
import shutil
import subprocess
import time

import pytest
from tools import Loggen, loggen
from waiting import wait_for
from wherry import OK, base_config


def numbered(first, last, text="line"):
    return "".join("%s %06d of a log that has a head\n" % (text, n) for n in range(first, last))


def append(path, text):
    with open(path, "a") as f:
        f.write(text)


def generations(server):
    return {id_[:12] for _, id_ in server.docs}


def mount(*words):
    done = subprocess.run(["mount", *map(os.fspath, words)], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("cannot mount here: " + done.stderr.strip()[:100])


@pytest.fixture
def mounted():
    """Directories to be unmounted at the end."""
    made = []
    yield made
    for directory in made:
        subprocess.run(["umount", "-l", os.fspath(directory)], capture_output=True)


# ---- another file under the same inode number


def test_another_file_under_the_same_inode_number_is_new(agent, server, tmp_path):
    """It even begins as the old one did."""
    log = tmp_path / "a.log"
    log.write_text(numbered(0, 100))
    one = agent(base_config(server.url, [log]))
    one.run_once()
    inode = os.stat(log).st_ino
    for _ in range(200):
        os.unlink(log)
        log.write_text(numbered(0, 120))
        if os.stat(log).st_ino == inode:
            break
    else:
        pytest.skip("this file system does not give an inode number again")
    birth = subprocess.run(["stat", "-c", "%W", os.fspath(log)], capture_output=True, text=True)
    if birth.stdout.strip() in ("0", "-", ""):
        pytest.skip("this file system does not know when a file was born")
    one.run_once()
    assert len(server.docs) == 220 and len(generations(server)) == 2


# ---- the same content elsewhere


def test_restored_from_a_backup_goes_on(agent, server, tmp_path):
    log = tmp_path / "a.log"
    log.write_text(numbered(0, 100))
    one = agent(base_config(server.url, [log]))
    one.run_once()
    shutil.copy(log, tmp_path / "backup")
    os.unlink(log)
    append(tmp_path / "backup", numbered(100, 130))
    os.rename(tmp_path / "backup", log)
    one.run_once()
    assert sorted(server.messages()) == numbered(0, 130).splitlines()
    assert len(generations(server)) == 1


def test_tree_copied_to_another_file_system_goes_on(agent, server, tmp_path, mounted):
    """Other device, other inodes, same path, while the agent is down."""
    logs = tmp_path / "logs"
    logs.mkdir()
    mount("-t", "tmpfs", "none", logs)
    mounted.append(logs)
    for name in ("a.log", "b.log"):
        (logs / name).write_text(numbered(0, 100, name))
    one = agent(base_config(server.url, [logs / "*.log"]))
    one.run_once()
    shutil.copytree(logs, tmp_path / "kept")
    subprocess.run(["umount", os.fspath(logs)], check=True)
    mount("-t", "tmpfs", "none", logs)
    for n in range(10):
        (logs / ("first%d" % n)).write_text("so that inode numbers differ\n")
    for name in ("b.log", "a.log"):
        shutil.copy2(tmp_path / "kept" / name, logs / name)
        append(logs / name, numbered(100, 120, name))
    one.run_once()
    assert sorted(server.messages()) == sorted(
        (numbered(0, 120, "a.log") + numbered(0, 120, "b.log")).splitlines())
    assert len(generations(server)) == 2


def test_same_inode_under_another_device_number_goes_on(agent, server, tmp_path, mounted):
    """The same file system, mounted from another device."""
    if shutil.which("mkfs.ext4", path=os.environ["PATH"] + ":/sbin:/usr/sbin") is None:
        pytest.skip("mkfs.ext4 is not installed")
    logs = tmp_path / "logs"
    logs.mkdir()
    image = tmp_path / "image"
    with open(image, "wb") as f:
        f.truncate(8 << 20)
    subprocess.run(["mkfs.ext4", "-q", os.fspath(image)], check=True,
                   env=dict(os.environ, PATH=os.environ["PATH"] + ":/sbin:/usr/sbin"))
    mount("-o", "loop", image, logs)
    mounted.append(logs)
    (logs / "a.log").write_text("short\n")
    one = agent(base_config(server.url, [logs / "*.log"]))
    one.run_once()
    before = os.stat(logs / "a.log")
    subprocess.run(["umount", os.fspath(logs)], check=True)
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(image, tmp_path / "first")
    mount("-o", "loop", tmp_path / "first", other)  # takes the device number
    mounted.append(other)
    mount("-o", "loop", image, logs)
    after = os.stat(logs / "a.log")
    if after.st_dev == before.st_dev:
        pytest.skip("the device number is the same again")
    assert after.st_ino == before.st_ino
    append(logs / "a.log", "more\n")
    one.run_once()
    assert server.messages() == ["short", "more"] and len(generations(server)) == 1


def test_hard_links_that_come_while_it_runs_are_one_file(agent, server, tmp_path):
    log = tmp_path / "a.log"
    log.write_text(numbered(0, 10))
    one = agent(base_config(server.url, [tmp_path / "*.log", tmp_path / "a.l*"])).start()
    server.wait_docs(10)
    os.link(log, tmp_path / "b.log")
    append(tmp_path / "b.log", numbered(10, 20))
    server.wait_docs(20)
    os.unlink(log)
    append(tmp_path / "b.log", numbered(20, 30))
    server.wait_docs(30)
    assert one.stop() == OK
    one.run_once()
    assert sorted(server.messages()) == numbered(0, 30).splitlines()


# ---- other content in the same file


@pytest.mark.parametrize("size", ["shorter", "same", "longer"])
def test_rewritten_while_down_is_read_from_its_start(agent, server, tmp_path, size):
    log = tmp_path / "a.log"
    log.write_text(numbered(0, 100))
    one = agent(base_config(server.url, [log]))
    one.run_once()
    again = numbered(0, {"shorter": 30, "same": 100, "longer": 300}[size], "othr")
    with open(log, "r+") as f:
        f.truncate(0)
        f.write(again)
    one.run_once()
    assert sorted(server.messages()) == sorted((numbered(0, 100) + again).splitlines())


def test_rewritten_to_the_same_size_beside_a_busy_file(agent, server, tmp_path):
    """While a file of the directory is hot writes are not told: the time of the last one is seen."""
    quiet = tmp_path / "quiet.log"
    quiet.write_text(numbered(0, 10))
    busy = Loggen(tmp_path / "busy.log", 100000, rate=200)
    try:
        agent(base_config(server.url, [tmp_path / "*.log"])).start()
        for n in range(1, 4):
            wait_for(lambda: sum(d["log"]["file"]["path"].endswith("quiet.log")
                                 for d in server.documents()) == n * 10, what="round %d" % n)
            seen = len(server.docs)
            wait_for(lambda s=seen: len(server.docs) >= s + 50, what="the busy file to go on")
            with open(quiet, "r+") as f:
                f.truncate(0)
                f.write(numbered(0, 10, "lin%d" % n))
        wait_for(lambda: "lin3 000009 of a log that has a head" in server.messages(),
                 what="the last round")
    finally:
        busy.kill()


def test_a_file_of_one_byte_is_a_file(agent, server, tmp_path):
    log = tmp_path / "a.log"
    log.write_text("x")
    one = agent(base_config(server.url, [log]))
    one.run_once()
    one.run_once()
    assert server.messages() == ["x"]
    log.write_text("y")
    one.run_once()
    append(log, "z\n")
    one.run_once()
    assert sorted(server.messages()) == ["x", "y", "z"]
    assert len(generations(server)) == 2


# ---- times


@pytest.mark.parametrize("when", [0, 1, 4102444800], ids=["1970", "second_one", "future"])
def test_odd_times_of_a_file_change_nothing(agent, server, tmp_path, when):
    log = tmp_path / "a.log"
    log.write_text(numbered(0, 10))
    os.utime(log, (when, when))
    one = agent(base_config(server.url, [log]))
    one.run_once()
    append(log, numbered(10, 20))
    os.utime(log, (when, when))
    one.run_once()
    os.utime(log, (when + 7, when + 7))
    one.run_once()
    assert server.messages() == numbered(0, 20).splitlines()


def test_ignore_older_decides_once(agent, server, tmp_path):
    """What was too old at first sight is counted, and what is written to it later is read."""
    now = time.time()
    for name, age in (("old", 7200), ("young", 3000), ("future", -86400), ("epoch", now)):
        log = tmp_path / (name + ".log")
        log.write_text("before %s\n" % name)
        os.utime(log, (now - age, now - age))
    one = agent(base_config(server.url, [tmp_path / "*.log"], input__ignore_older="1h"))
    run = one.run_once()
    assert sorted(server.messages()) == ["before future", "before young"]
    assert run.ledger["skipped"]["reasons"]["ignore_older"]["bytes"] == len(
        "before old\n" "before epoch\n")
    run = one.run_once()
    assert run.ledger["read"]["bytes"] == 0
    append(tmp_path / "old.log", "after old\n")
    os.utime(tmp_path / "young.log", (now - 7200, now - 7200))
    run = one.run_once()
    assert len(server.docs) == 3 and "after old" in server.messages()
    os.utime(tmp_path / "old.log", (now - 7200, now - 7200))
    append(tmp_path / "epoch.log", "after epoch\n")
    os.utime(tmp_path / "epoch.log", (0, 0))
    one.run_once()
    assert len(server.docs) == 4 and "after epoch" in server.messages()


def test_files_of_one_input_are_read_once_by_overlapping_inputs(agent, server, tmp_path):
    loggen(tmp_path / "a.log", 100)
    config = base_config(server.url, [tmp_path / "a.log"])
    config["inputs"].append({"paths": [os.fspath(tmp_path / "*.log")], "dataset": "second"})
    agent(config).run_once()
    assert len(server.docs) == 100
    assert all(d["data_stream"]["dataset"] == "generic" for d in server.documents())
