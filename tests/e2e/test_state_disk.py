"""The disk of path.data: full, failing, read-only, and the process killed at each write to it."""

import ctypes
import errno
import os
import shutil
import signal
import subprocess

import pytest
from test_registry import entries, one_more
from tools import loggen, tool
from waiting import wait_for
from wherry import FAST_RETRY, OK, base_config

KILLED = -signal.SIGKILL


def faulty(tmp_path, **more):
    """The environment of an agent whose registry lies on a disk that fails on command."""
    return {"LD_PRELOAD": tool("faultdisk.so"), "FAULTDISK_DIR": "/registry",
            "FAULTDISK_LOG": str(tmp_path / "calls"), "FAULTDISK_RULES": str(tmp_path / "rules"),
            "ASAN_OPTIONS": "verify_asan_link_order=0", **more}


# ---- killed

def die_at(one, call):
    """Runs once and dies at the n-th call that changes the registry; False = it has fewer calls."""
    one.env["FAULTDISK_KILL"] = call
    run = one.run_once(allowed=[OK, KILLED])
    run.killed = run.code == KILLED
    one.allowed = {OK}
    del one.env["FAULTDISK_KILL"]
    return run.killed


@pytest.mark.parametrize("life", ["first", "next", "repairing"])
@pytest.mark.parametrize("how", ["", "t"], ids=["whole", "torn"])
def test_killed_at_each_write(agent, sink, tmp_path, life, how):
    """At each write, sync, file made and renamed: nothing lost and nothing repeated after it."""
    log = tmp_path / "a.log"
    one = agent(base_config(sink.url, [log]), env=faulty(tmp_path))
    data = tmp_path / "data"
    lines = 0
    call = 0
    died = True
    while died:
        call += 1 if life != "first" or call > 30 else 3
        shutil.rmtree(data, ignore_errors=True)
        log.unlink(missing_ok=True)
        writer = "n%d" % call
        if life != "first":
            loggen(log, 20, writer=writer)
            one.run_once()
        if life == "repairing":  # files that are missing are made at the start
            for name in ("log.0", "checkpoint.0"):
                (data / "registry" / name).unlink()
        loggen(log, 20, writer=writer, start_seq=21)
        died = die_at(one, "%d%s" % (call, how))
        loggen(log, 20, writer=writer, start_seq=41)
        one.run_once()
        first = 21 if life == "first" else 1
        missing = sink.missing(writer, 60, first)
        assert missing["missing"] == 0, (call, missing)
        lines += 61 - first
    stats = sink.stats()
    assert stats["repeated_lines"] == 0 and stats["altered"] == 0, stats
    assert stats["unique"] == lines
    assert call > {"first": 30, "next": 3, "repairing": 15}[life], "it died at each"


# ---- full

_libc = ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def small_disk(tmp_path):
    """Makes path.data a file system of its own: small_disk(options) -> path."""
    mounted = []

    def make(options):
        path = tmp_path / "data"
        path.mkdir(exist_ok=True)
        if _libc.mount(b"tmpfs", os.fsencode(path), b"tmpfs", 0, options.encode()) != 0:
            pytest.skip("no file system can be mounted here: %s" % os.strerror(ctypes.get_errno()))
        mounted.append(path)
        return path
    yield make
    for path in mounted:
        subprocess.run(["umount", "-l", str(path)], check=True)


def fill_bytes(disk):
    with open(disk / "filler", "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"x" * 4096)
        except OSError as e:
            assert e.errno == errno.ENOSPC


def fill_inodes(disk):
    try:
        for n in range(100000):
            (disk / ("filler%d" % n)).touch()
    except OSError as e:
        assert e.errno == errno.ENOSPC


@pytest.mark.parametrize("options, fill", [("size=4m", fill_bytes), ("nr_inodes=40", fill_inodes)])
def test_full_disk_still_saves_offsets(agent, sink, tmp_path, small_disk, options, fill):
    """The files of the registry were made whole at the start."""
    disk = small_disk(options)
    one = agent(base_config(sink.url, [tmp_path / "*.log"], **FAST_RETRY)).start()
    loggen(tmp_path / "a.log", 100, writer="a")
    sink.wait_unique(100)
    fill(disk)
    for n in range(1, 4):
        loggen(tmp_path / "a.log", 100, writer="a", start_seq=100 * n + 1)
        loggen(tmp_path / ("b%d.log" % n), 100, writer="b%d" % n)
        sink.wait_unique(100 + 200 * n)
    size = (tmp_path / "a.log").stat().st_size
    wait_for(lambda: entries(one_more(one))["a.log"]["offset"] == size, 20, "the offset saved")
    one.kill()
    assert "health: registry" not in one.stderr
    one.run_once()
    sink.assert_exactly({"a": 400, "b1": 100, "b2": 100, "b3": 100})
    assert one.ledger["read"]["lines"] == 0, "all offsets were saved"


@pytest.mark.parametrize("options, fill", [("size=4m", fill_bytes), ("nr_inodes=16", fill_inodes)])
def test_first_start_on_a_full_disk(agent, sink, tmp_path, small_disk, options, fill):
    """It ships, says that it keeps offsets in memory, and saves them once there is room."""
    disk = small_disk(options)
    fill(disk)
    one = agent(base_config(sink.url, [tmp_path / "*.log"], **FAST_RETRY))
    if fill is fill_inodes:  # the directories need three, the lock one
        for path in sorted(disk.glob("filler*"))[:4]:
            path.unlink()
    one.start()
    loggen(tmp_path / "a.log", 100, writer="a")
    sink.wait_unique(100)
    assert one.log_lines("health: registry degraded")
    for path in disk.glob("filler*"):
        path.unlink()
    one.wait_log("health: registry ok", 60)
    assert entries(one_more(one))["a.log"]["path"].endswith("a.log")
    loggen(tmp_path / "a.log", 100, writer="a", start_seq=101)
    sink.wait_unique(200)
    assert one.stop() == OK
    one.run_once()
    sink.assert_exactly({"a": 200})
    assert one.ledger["read"]["lines"] == 0


# ---- failing

def calls(tmp_path):
    """What was done to the disk: (name, file, result)."""
    with open(tmp_path / "calls", encoding="ascii") as f:
        return [(name, file, int(result)) for _, name, file, result in map(str.split, f)]


@pytest.mark.parametrize("name, rules", [
    ("EIO on write", {"write": errno.EIO}),
    ("EIO on sync", {"sync": errno.EIO}),
    ("EIO on sync once", {"sync": errno.EIO}),
    ("EROFS", {"write": errno.EROFS, "make": errno.EROFS, "rename": errno.EROFS}),
    ("ENOSPC", {"write": errno.ENOSPC, "make": errno.ENOSPC}),
])
def test_failing_disk(agent, sink, tmp_path, name, rules):
    """Shipping goes on with offsets in memory; a file on which a sync failed is never synced again;
    on a disk that is well again new files hold everything."""
    log = tmp_path / "a.log"
    file = tmp_path / "rules"
    one = agent(base_config(sink.url, [tmp_path / "*.log"], **FAST_RETRY),
                env=faulty(tmp_path)).start()
    loggen(log, 100, writer="a")
    sink.wait_unique(100)
    (tmp_path / "new").write_text("".join("%s %d\n" % rule for rule in rules.items()))
    os.rename(tmp_path / "new", file)
    loggen(log, 100, writer="a", start_seq=101)
    loggen(tmp_path / "b.log", 100, writer="b")
    one.wait_log("health: registry degraded: .*" + os.strerror(min(rules.values())), 20)
    if name.endswith("once"):
        file.unlink()
    sink.wait_unique(300)
    file.unlink(missing_ok=True)
    one.wait_log("health: registry ok", 30)
    sizes = {p.name: p.stat().st_size for p in (log, tmp_path / "b.log")}
    wait_for(lambda: {n: e["offset"] for n, e in entries(one_more(one)).items()} == sizes, 20,
             "all offsets saved")
    one.kill()
    directory = "%d." % (tmp_path / "data" / "registry").stat().st_ino
    bad = set()
    for call, which, result in calls(tmp_path):
        if call in ("write", "sync") and not which.startswith(directory):
            assert which not in bad, call
            if result < 0:
                bad.add(which)
    assert bad
    one.run_once()
    sink.assert_exactly({"a": 200, "b": 100})
    assert one.ledger["read"]["lines"] == 0, "all offsets were saved"
