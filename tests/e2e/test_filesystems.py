"""Sets filesystem and fsstat: the numbers of df, and mounts that do not answer."""

import os
import subprocess

import fuse
from fuse import FuseMount
from test_metrics import metrics_config
from waiting import wait_for

FILESYSTEM, FSSTAT, LOAD = ("metrics-system.%s-x" % s for s in ("filesystem", "fsstat", "load"))


def config(url, tmp_path):
    more = {"metrics.sets": ["filesystem", "fsstat", "load"], "metrics.filesystem.period": "1s",
            "metrics.fsstat.period": "1s"}
    return {**metrics_config(url, tmp_path, "x"), **more}


def of_mount(server, point):
    """Documents of one mount."""
    return [d["system"]["filesystem"] for d in server.documents(FILESYSTEM)
            if d["system"]["filesystem"]["mount_point"] == os.fspath(point)]


def helpers(parent=None):
    """Processes that ask mounts, of one agent or of all."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % name, "rb") as f:
                words = f.read().split(b"\0")
            with open("/proc/%s/stat" % name) as f:
                ppid = int(f.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if words[1:2] == [b"statfs-helper"] and parent in (None, ppid):
            found.append(int(name))
    return found


def df():
    """{mount point: (size, used, available, inodes)}; df itself would wait for what hangs."""
    out = subprocess.run(["df", "-B1", "-x", "fuse.hanging", "--output=size,used,avail,itotal,target"], check=False,
                         capture_output=True, text=True).stdout
    rows = [line.split(None, 4) for line in out.splitlines()[1:]]
    return {row[4]: tuple(int(n) if n != "-" else 0 for n in row[:4]) for row in rows}


def samples(server):
    """[{mount point: filesystem}]: the documents of one sample have one time."""
    by_time = {}
    for document in server.documents(FILESYSTEM):
        one = document["system"]["filesystem"]
        by_time.setdefault(document["@timestamp"], {})[one["mount_point"]] = one
    return list(by_time.values())


def test_as_df(agent, server, tmp_path):
    """Every filesystem once, with the numbers of df; fsstat is their sum."""
    one = agent(config(server.url, tmp_path)).start()
    wait_for(lambda: len(samples(server)) >= 2 and len(server.documents(FSSTAT)) >= 2,
             what="two samples")
    known = df()
    assert one.stop() == 0
    last = samples(server)[-1]
    assert "/" in last and not [p for p in last if p.startswith(("/proc", "/sys", "/dev"))]
    devices = [f["device_name"] for f in last.values() if f["device_name"].startswith("/dev/")]
    assert len(devices) == len(set(devices))
    for point, got in last.items():
        if point not in known:
            continue  # another test's, gone meanwhile
        size, used, available, inodes = known[point]
        near = size * 0.02  # others write meanwhile
        assert got["total"] == size
        assert abs(got["used"]["bytes"] - used) <= near
        assert abs(got["available"] - available) <= near
        assert got.get("files", 0) == inodes
        assert abs(got["used"]["pct"] - used / (used + available)) <= 0.03
        assert got["used"]["bytes"] == got["total"] - got["free"]
    sums = [(len(s), sum(f["total"] for f in s.values())) for s in samples(server)]
    for document in server.documents(FSSTAT):
        stat = document["system"]["fsstat"]
        assert (stat["count"], stat["total_size"]["total"]) in sums
        assert stat["total_size"]["used"] == (
            stat["total_size"]["total"] - stat["total_size"]["free"])


def test_mount_that_hangs(agent, server, tmp_path):
    """It is left out and told once, everything else goes on; it is back when it answers."""
    point = tmp_path / 'a "mount"'
    point.mkdir()
    with FuseMount(point) as mount:
        one = agent(config(server.url, tmp_path)).start()
        first = wait_for(lambda: of_mount(server, point), what="the mount")[0]
        assert first == {
            "device_name": "source", "mount_point": str(point), "type": "fuse.hanging",
            "options": first["options"], "total": fuse.BLOCKS * fuse.BLOCK,
            "free": fuse.FREE * fuse.BLOCK, "available": fuse.AVAILABLE * fuse.BLOCK,
            "files": fuse.FILES, "free_files": fuse.FREE_FILES,
            "used": {"bytes": (fuse.BLOCKS - fuse.FREE) * fuse.BLOCK, "pct": 0.4444}}
        assert first["options"].startswith("rw,nosuid,nodev")

        mount.hang()
        wait_for(lambda: mount.held > 0, what="a question that hangs")
        before = len(server.documents(LOAD))
        wait_for(lambda: len(server.documents(LOAD)) > before, what="another set meanwhile")
        assert not one.log_lines("does not answer"), "the mount was still waited for"

        one.wait_log(r"warn metrics: mount point .*mount.* does not answer")
        mine, roots = len(of_mount(server, point)), len(of_mount(server, "/"))
        wait_for(lambda: len(of_mount(server, "/")) >= roots + 3, what="the other mounts")
        assert len(of_mount(server, point)) == mine
        assert len(one.log_lines("does not answer")) == 1
        assert mount.held == 1, "it is not asked again"
        assert len(helpers(one.pid)) == 2

        mount.answer()
        one.wait_log(r"info metrics: mount point .*mount.* answers again")
        wait_for(lambda: len(of_mount(server, point)) > mine, what="the mount again")
        wait_for(lambda: len(helpers(one.pid)) == 1, what="one helper again")
        pid = one.pid
        assert one.stop() == 0
        wait_for(lambda: not helpers(pid), what="no helper")


def test_unmounted_while_it_hangs(agent, server, tmp_path):
    """Lazily unmounted: its helper comes back with an error, and ends; the next mount at the place
    is asked."""
    point = tmp_path / "mount"
    point.mkdir()
    with FuseMount(point) as mount:
        mount.hang()
        one = agent(config(server.url, tmp_path)).start()
        one.wait_log("does not answer")
        assert of_mount(server, point) == []
    wait_for(lambda: len(helpers(one.pid)) == 1, what="one helper")
    with FuseMount(point):
        wait_for(lambda: of_mount(server, point), what="the new mount")
        assert one.stop() == 0


def test_helpers_end_with_a_killed_agent(agent, server, tmp_path):
    point = tmp_path / "mount"
    point.mkdir()
    with FuseMount(point) as mount:
        mount.hang()
        one = agent(config(server.url, tmp_path)).start()
        one.wait_log("does not answer")
        mine = wait_for(lambda: len(helpers(one.pid)) == 2 and helpers(one.pid), what="two helpers")
        one.kill()
        wait_for(lambda: len(set(helpers()) & set(mine)) <= 1, what="the one that can end")
    wait_for(lambda: not set(helpers()) & set(mine), what="none is left")
