"""Log files on mounts that hang, fail, go and come back."""

import errno
import os
import signal
import subprocess
import time

import fuse
import pytest
from fuse import FuseMount
from waiting import TIME_SCALE, wait_for
from wherry import OK, base_config


class Log:
    """A log file and what was written to it."""

    def __init__(self, path, name=None):
        self.path, self.name, self.written = path, name or path.stem, []

    def write(self, count=1):
        with open(self.path, "a") as f:
            for _ in range(count):
                self.written.append("%s %06d" % (self.name, len(self.written)))
                f.write(self.written[-1] + "\n")


def everything(server, *logs):
    """Waits for all that was written, once."""
    expected = [line for log in logs for line in log.written]
    server.wait_docs(len(expected))
    assert sorted(server.messages()) == sorted(expected)


def messages_of(server, log):
    return [m for m in server.messages() if m.startswith(log.name + " ")]


@pytest.fixture
def places(tmp_path):
    """A directory to be mounted, what is to be in it, and a directory here."""
    for name in ("mnt", "back", "near"):
        (tmp_path / name).mkdir()
    return tmp_path / "mnt", tmp_path / "back", tmp_path / "near"


def config(server, places, *more, **options):
    mnt, _, near = places
    return base_config(server.url, [near / "*.log", mnt / "**" / "*.log", *more], **options)


def flows(server, log, rounds=10):
    """Lines of a log that nothing holds up arrive soon, one after the other."""
    for _ in range(rounds):
        log.write()
        began = time.monotonic()
        wait_for(lambda: len(messages_of(server, log)) == len(log.written), 10,
                 "a line of %s" % log.path)
        took = time.monotonic() - began
        assert took < 3 * TIME_SCALE, "a line took %.1f s" % took


OPS = {"all": (), "read": (fuse.READ,), "look_up": (fuse.LOOKUP,), "attributes": (fuse.GETATTR,),
       "open": (fuse.OPEN,), "list": (fuse.READDIR,), "open_list": (fuse.OPENDIR,)}


@pytest.mark.parametrize("ops", OPS.values(), ids=OPS.keys())
def test_a_mount_that_hangs_holds_nothing_else_up(agent, server, places, ops):
    """What is written there meanwhile is read when it answers again."""
    mnt, back, near = places
    far, here, new = Log(back / "far.log"), Log(near / "near.log"), Log(back / "new.log")
    far.write(100)
    here.write(100)
    with FuseMount(mnt, back) as mount:
        one = agent(config(server, places)).start()
        everything(server, far, here)
        mount.hang(*ops)
        far.write(100)
        new.write(100)
        wait_for(lambda: mount.held > 0, what="a question that hangs")
        flows(server, here)
        one.wait_log(r"warn mount point \S+/mnt does not answer")
        one.wait_log(r"health: mounts degraded: mount point \S+/mnt does not answer")
        flows(server, here)
        assert mount.held == 1, "one process waits, nobody asks again"
        mount.answer()
        one.wait_log(r"info mount point \S+/mnt answers again")
        one.wait_log("health: mounts ok")
        far.write(10)
        everything(server, far, here, new)
        assert one.stop() == OK
        assert one.ledger["documents"]["mounts_away"] == 1
        assert len(one.log_lines("does not answer")) == 2  # health says it, too


def test_a_mount_that_hangs_at_the_start(agent, server, places):
    """The rest begins at once; on the mount reading begins at the end, as everywhere else."""
    mnt, back, near = places
    old, here = Log(back / "old.log"), Log(near / "near.log")
    old.write(50)
    with FuseMount(mnt, back) as mount:
        mount.hang()
        one = agent(config(server, places, input__start_at="end")).start()
        flows(server, here)
        one.wait_log("does not answer")
        mount.answer()
        one.wait_log("answers again")
        wait_for(lambda: mount.asked[fuse.READ] > 0, what="the first look at the file")
        skipped, old.written = old.written, []
        one.wait_log(r"ledger total .*\"start_at\":\{\"bytes\":%d" % (len(skipped) * 11), 60)
        old.name = "later"
        old.write(20)
        everything(server, old, here)
        assert one.stop() == OK
        reasons = one.ledger["skipped"]["reasons"]
        assert reasons["start_at"]["bytes"] == 50 * len("old 000000\n")


def test_rotation_on_a_mount_that_hangs(agent, server, places):
    mnt, back, near = places
    here, log = Log(near / "near.log"), Log(back / "app.log", "app")
    log.write(100)
    with FuseMount(mnt, back) as mount:
        one = agent(config(server, places)).start()
        everything(server, log)
        mount.hang()
        log.write(100)
        wait_for(lambda: mount.held > 0, what="a question that hangs")
        for n in (3, 2, 1):
            os.rename(back / "app.log", back / ("app.log.%d" % n))
            log.write(100)
        flows(server, here)
        one.wait_log("does not answer")
        mount.answer()
        everything(server, log, here)
        assert one.stop() == OK


def test_stop_and_kill_while_a_mount_hangs(agent, server, places):
    """The agent ends in time, also killed; the next life has the lock, and what is unread."""
    mnt, back, near = places
    far, here = Log(back / "far.log"), Log(near / "near.log")
    far.write(100)
    with FuseMount(mnt, back) as mount:
        one = agent(config(server, places)).start()
        everything(server, far)
        mount.hang()
        far.write(100)
        wait_for(lambda: mount.held > 0, what="a question that hangs")
        assert one.stop(deadline=10) == OK
        one.start()
        flows(server, here)
        wait_for(lambda: mount.held > 1, what="the next one's question")
        one.kill()
        one.start()
        flows(server, here)
        mount.answer()
        everything(server, far, here)
        assert one.stop() == OK


def test_a_helper_that_is_killed(agent, server, places):
    """Files are opened again, by another one."""
    mnt, back, _ = places
    far = Log(back / "far.log")
    far.write(100)
    with FuseMount(mnt, back):
        one = agent(config(server, places)).start()
        everything(server, far)
        words = ["pgrep", "-P", str(one.pid), "-f", "mount-helper"]
        pid = int(subprocess.run(words, check=True, capture_output=True).stdout)
        os.kill(pid, signal.SIGKILL)
        far.write(100)
        everything(server, far)
        assert one.stop() == OK


@pytest.mark.parametrize("error", [errno.EIO, errno.ESTALE], ids=["io_error", "stale_handle"])
def test_reads_that_fail_are_tried_again(agent, server, places, error):
    """Ever more seldom, and told seldom; nothing is lost or repeated."""
    mnt, back, near = places
    far, here = Log(back / "far.log"), Log(near / "near.log")
    far.write(100)
    with FuseMount(mnt, back) as mount:
        one = agent(config(server, places)).start()
        everything(server, far)
        mount.fail(fuse.READ, error)
        far.write(100)
        asked = mount.asked[fuse.READ]
        one.wait_log(r"warn cannot read \"\S+/far.log\"")
        flows(server, here)
        wait_for(lambda: mount.asked[fuse.READ] >= asked + 4, 30, "further tries")
        assert mount.asked[fuse.READ] <= asked + 12, "it is not tried all the time"
        mount.answer()
        everything(server, far, here)
        assert one.stop() == OK
        assert one.ledger["abandoned"]["bytes"] == 0


@pytest.mark.parametrize("error", [errno.EIO, errno.ESTALE], ids=["io_error", "stale_handle"])
@pytest.mark.parametrize("op", [fuse.READ, fuse.GETATTR, fuse.OPEN, fuse.READDIR, fuse.LOOKUP],
                         ids=["read", "attributes", "open", "list", "look_up"])
def test_failures_while_files_are_found_again(agent, server, places, op, error):
    """After a restart: a file that cannot be looked at is no other file."""
    mnt, back, near = places
    far, here = Log(back / "far.log"), Log(near / "near.log")
    far.write(100)
    with FuseMount(mnt, back) as mount:
        one = agent(config(server, places)).start()
        everything(server, far)
        assert one.stop() == OK
        far.write(100)
        os.rename(back / "far.log", back / "far.log.1")
        far.write(100)
        mount.fail(op, error)
        one.start()
        flows(server, here)
        wait_for(lambda: mount.asked[op] >= 2, 30, "a try")
        assert len(messages_of(server, far)) == 100
        mount.answer()
        everything(server, far, here)
        assert one.stop() == OK


def test_unmounted_lazily_and_mounted_again(agent, server, places, tmp_path):
    """The same content goes on where it was; other content at the place is other content."""
    mnt, back, _ = places
    other = tmp_path / "other"
    other.mkdir()
    far = Log(back / "far.log")
    far.write(100)
    first = FuseMount(mnt, back)
    one = agent(config(server, places)).start()
    everything(server, far)
    first.end()
    far.write(100)
    with FuseMount(mnt, back):
        everything(server, far)
    strange = Log(other / "far.log", "strange")
    strange.write(100)
    with FuseMount(mnt, other):
        everything(server, far, strange)
    far.write(100)
    with FuseMount(mnt, back):
        everything(server, far, strange)
    assert one.stop() == OK


@pytest.mark.parametrize("flags", [0, fuse.MNT_DETACH], ids=["unmounted", "unmounted_lazily"])
def test_a_disk_that_is_unmounted_and_mounted_again(agent, server, places, flags):
    """A file system here: inotify tells that it goes, the table of mounts that another one came."""
    mnt, _, near = places
    image, other = places[1] / "image", places[1] / "other"
    for one in (image, other):
        with open(one, "wb") as f:
            f.truncate(16 << 20)
        made = subprocess.run(["mkfs.ext4", "-q", "-F", one], capture_output=True, check=False)
        if made.returncode != 0:
            pytest.skip("no file system can be made: %s" % made.stderr)

    def mount(which):
        done = subprocess.run(["mount", "-o", "loop", which, mnt], capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip("no file system can be mounted: %s" % done.stderr)

    here = Log(near / "near.log")
    mount(image)
    try:
        one = agent(config(server, places)).start()
        flows(server, here, 1)
        inside = Log(mnt / "disk.log", "disk")
        if flags == 0:  # an open file would keep it from being unmounted
            assert fuse.unmount(mnt) == 0
            mount(other)
            inside.write(100)
            everything(server, inside, here)
            assert fuse.unmount(mnt) == errno.EBUSY
            assert one.stop() == OK
            return
        inside.write(100)
        everything(server, inside, here)
        assert fuse.unmount(mnt, flags) == 0
        flows(server, here, 1)
        mount(other)
        strange = Log(mnt / "disk.log", "strange")
        strange.write(100)
        everything(server, inside, here, strange)
        assert one.stop() == OK
        assert fuse.unmount(mnt) == 0
        mount(image)
        one.start()
        inside.write(100)
        everything(server, inside, here, strange)
        assert one.stop() == OK
    finally:
        while fuse.unmount(mnt, fuse.MNT_DETACH) == 0:
            pass


def test_a_daemon_that_dies(agent, server, places):
    """Its mount fails until it is mounted anew."""
    mnt, back, near = places
    far, here = Log(back / "far.log"), Log(near / "near.log")
    far.write(100)
    with FuseMount(mnt, back) as mount:
        one = agent(config(server, places)).start()
        everything(server, far)
        mount.die()
        far.write(100)
        flows(server, here)
        assert fuse.unmount(mnt, fuse.MNT_DETACH) == 0
        with FuseMount(mnt, back):
            everything(server, far, here)
            assert one.stop() == OK


@pytest.mark.parametrize("kind", ["directory", "file"])
def test_links_that_lead_to_a_mount_that_hangs(agent, server, places, kind):
    mnt, back, near = places
    far, here = Log(back / "far.log"), Log(near / "near.log")
    far.write(100)
    if kind == "directory":
        os.symlink(mnt, near / "link")
        paths = [near / "*.log", near / "link" / "*.log"]
        options = {}
    else:
        os.symlink(mnt / "far.log", near / "link.log")
        paths = [near / "*.log"]
        options = {"input__symlinks": True, "input__symlink_roots": [os.fspath(mnt)]}
    with FuseMount(mnt, back) as mount:
        one = agent(base_config(server.url, paths, **options)).start()
        everything(server, far)
        mount.hang()
        far.write(100)
        wait_for(lambda: mount.held > 0, what="a question that hangs")
        flows(server, here)
        one.wait_log("does not answer")
        flows(server, here)
        mount.answer()
        everything(server, far, here)
        assert one.stop() == OK
