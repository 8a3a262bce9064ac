"""What is found when, without help: directories that come and go, lost events, limits, permissions."""

import os
import signal
import subprocess

import pytest
import wherry
from waiting import wait_for
from wherry import OK, base_config


def append(path, text):
    with open(path, "a", newline="") as f:
        f.write(text)


def wrapped(tmp_path, monkeypatch, name, words):
    """Agents are started by a shell that does something before."""
    script = tmp_path / name
    script.write_text("#!/bin/sh\n%s '%s' \"$@\"\n" % (words, wherry.BINARY))
    script.chmod(0o755)
    monkeypatch.setattr(wherry, "BINARY", os.fspath(script))


def watches_of(pid):
    """Watches that the kernel keeps for a process."""
    count = 0
    for fd in os.listdir("/proc/%d/fdinfo" % pid):
        with open("/proc/%d/fdinfo/%s" % (pid, fd)) as f:
            count += sum(line.startswith("inotify wd:") for line in f)
    return count


def test_directories_made_again_leave_no_watches_behind(agent, server, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    one = agent(base_config(server.url, [logs / "*" / "*.log"])).start()
    (logs / "d").mkdir()
    append(logs / "d" / "x.log", "round 0\n")
    server.wait_docs(1)
    before = watches_of(one.pid)
    for n in range(1, 31):
        os.unlink(logs / "d" / "x.log")
        os.rmdir(logs / "d")
        (logs / "d").mkdir()
        append(logs / "d" / "x.log", "round %d\n" % n)
        server.wait_docs(n + 1)
    wait_for(lambda: watches_of(one.pid) == before, 30,
             lambda: "%d watches, there were %d" % (watches_of(one.pid), before))
    assert one.stop() == OK


def test_lost_events_are_made_up_for_by_one_scan(agent, server, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    append(logs / "a.log", "one\n")
    one = agent(base_config(server.url, [logs / "*.log"])).start()
    server.wait_docs(1)
    with open("/proc/sys/fs/inotify/max_queued_events") as f:
        limit = int(f.read())
    one.send_signal(signal.SIGSTOP)
    for _ in range(limit):  # two events each
        os.rename(logs / "a.log", logs / "b.txt")
        os.rename(logs / "b.txt", logs / "a.log")
    append(logs / "a.log", "two\n")
    append(logs / "new.log", "three\n")
    one.send_signal(signal.SIGCONT)
    server.wait_docs(3)
    assert sorted(server.messages()) == ["one", "three", "two"]
    assert one.stop() == OK


@pytest.mark.parametrize("what", ["watches", "instances"])
def test_without_watches_files_are_looked_for(agent, server, tmp_path, monkeypatch, what):
    """Health says it, and says when there are watches again."""
    limit = "/proc/sys/user/max_inotify_" + what
    words = "echo 0 > " + limit
    probe = subprocess.run(["unshare", "-U", "-r", "sh", "-c", words], capture_output=True)
    if probe.returncode != 0:
        pytest.skip("no limits of one's own: %s" % probe.stderr.decode().strip())
    logs = tmp_path / "logs"
    logs.mkdir()
    append(logs / "a.log", "one\n")
    wrapped(tmp_path, monkeypatch, "limited",
            "exec unshare -U -r sh -c '%s; exec \"$0\" \"$@\"'" % words)
    one = agent(base_config(server.url, [logs / "**" / "*.log"])).start()
    server.wait_docs(1)
    one.wait_log(r"health: tail degraded: .*looking every 10 s instead")
    (logs / "sub").mkdir()
    append(logs / "a.log", "two\n")
    append(logs / "sub" / "b.log", "three\n")
    server.wait_docs(3)
    subprocess.run(["nsenter", "-U", "-t", str(one.pid), "--preserve-credentials", "sh", "-c",
                    "echo 1000 > " + limit], check=True)
    one.wait_log(r"health: tail ok")
    assert one.stop() == OK


@pytest.fixture
def nobody(tmp_path, monkeypatch):
    """Agents do not run as root."""
    if os.getuid() != 0:
        return
    for parent in [tmp_path, *tmp_path.parents][:3]:
        os.chmod(parent, 0o755)
    os.chown(tmp_path, 65534, 65534)
    wrapped(tmp_path, monkeypatch, "nobody",
            "chown 65534 *.yml; exec setpriv --reuid=65534 --regid=65534 --clear-groups")


def test_permissions_come_and_go(agent, server, tmp_path, nobody):
    """What cannot be read now is read as soon as it can be; what is open is read on."""
    logs = tmp_path / "logs"
    (logs / "closed").mkdir(parents=True)
    (logs / "closed").chmod(0o700)
    append(logs / "closed" / "c.log", "in a directory\n")
    append(logs / "a.log", "later\n")
    append(logs / "b.log", "now\n")
    (logs / "a.log").chmod(0)
    one = agent(base_config(server.url, [logs / "**" / "*.log"])).start()
    server.wait_docs(1)
    one.wait_log(r" warn .*a\.log.*Permission denied")
    one.wait_log(r" warn .*closed.*permission denied")
    (logs / "b.log").chmod(0)
    append(logs / "b.log", "on\n")
    server.wait_docs(2)
    (logs / "a.log").chmod(0o644)
    server.wait_docs(3)
    (logs / "closed").chmod(0o755)
    server.wait_docs(4)
    assert sorted(server.messages()) == ["in a directory", "later", "now", "on"]
    assert len(one.log_lines("a\\.log")) == 1
    assert one.stop() == OK


def test_a_switched_link_is_followed(agent, server, tmp_path):
    """The old target is read to its end, then the new one; both are known by the link."""
    logs = tmp_path / "logs"
    logs.mkdir()
    append(logs / "app.1", "one\n")
    os.symlink("app.1", logs / "current.log")
    os.symlink("/etc/passwd", logs / "out.log")
    one = agent(base_config(server.url, [logs / "*.log"], input__symlinks=True,
                            input__symlink_roots=[os.fspath(logs)])).start()
    server.wait_docs(1)
    append(logs / "app.2", "two\n")
    append(logs / "app.1", "late\n")
    os.symlink("app.2", logs / "next")
    os.rename(logs / "next", logs / "current.log")
    server.wait_docs(3)
    append(logs / "app.2", "three\n")
    server.wait_docs(4)
    assert {d["log"]["file"]["path"] for d in server.documents()} == {str(logs / "current.log")}
    assert sorted(server.messages()) == ["late", "one", "three", "two"]
    assert len(one.log_lines(r"out\.log.*leads out of symlink_roots")) == 1
    assert one.stop() == OK
