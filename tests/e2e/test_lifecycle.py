"""What a process goes through: clocks that jump, memory that is not there, long stops, load at its
end. A small library that is put in front of the C library plays the part of the host."""

import os
import resource
import shutil
import signal
import subprocess

import fault_server as fs
import pytest
from tools import Loggen, die_with_parent, loggen
from waiting import TIME_SCALE, holds_for, wait_for
from wherry import BINARY, FAST_RETRY, OK, base_config

# WHERRY_CLOCK_FILE holds seconds that the wall clock is ahead; WHERRY_FAIL_AT is the call of
# malloc, calloc or realloc from which on there is no memory.
HOST = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/syscall.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static atomic_ulong calls;
static unsigned long fail_at;

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("WHERRY_FAIL_AT");
    atomic_store(&calls, 0);
    fail_at = text == NULL ? 0 : strtoul(text, NULL, 10);
}

static int refused(void)
{
    return fail_at != 0 && atomic_fetch_add(&calls, 1) >= fail_at;
}

void *malloc(size_t n)
{
    return refused() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return refused() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return refused() ? NULL : __libc_realloc(p, n);
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
    int r = (int)syscall(SYS_clock_gettime, id, ts);
    const char *path = getenv("WHERRY_CLOCK_FILE");
    if (r == 0 && path != NULL && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        char text[32] = "";
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
            ts->tv_sec += atol(text);
        if (fd >= 0)
            close(fd);
    }
    return r;
}
"""

SANITIZED = TIME_SCALE > 1
no_preload = pytest.mark.skipif(SANITIZED, reason="sanitizers bring a C library's front of their own")


@pytest.fixture(scope="session")
def host(tmp_path_factory):
    """Path of the library."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    directory = tmp_path_factory.mktemp("host")
    (directory / "host.c").write_text(HOST)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", directory / "host.so",
                    directory / "host.c"], check=True)
    return os.fspath(directory / "host.so")


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@no_preload
@pytest.mark.parametrize("jump", [86400, -86400])
def test_wall_clock_that_jumps_a_day(agent, sink, tmp_path, host, jump):
    """Timers do not care; nothing spins, nothing stands still, nothing is read again."""
    clock = tmp_path / "clock"
    clock.write_text("0")
    env = {"LD_PRELOAD": host, "WHERRY_CLOCK_FILE": os.fspath(clock)}
    loggen(tmp_path / "a.log", 1000)
    one = agent(base_config(sink.url, [tmp_path / "a.log"], **FAST_RETRY), env=env).start()
    sink.wait_unique(1000)
    clock.write_text(str(jump))
    before = cpu_seconds(one.pid)
    loggen(tmp_path / "a.log", 1000, start_seq=1001)
    sink.wait_unique(2000)
    holds_for(lambda: one.running, 1)
    assert cpu_seconds(one.pid) - before < 0.7
    os.rename(tmp_path / "a.log", tmp_path / "a.log.1")
    loggen(tmp_path / "a.log", 1000, start_seq=2001)
    sink.wait_unique(3000)
    clock.write_text("0")
    assert one.stop() == OK
    one.start()
    loggen(tmp_path / "a.log", 1000, start_seq=3001)
    sink.wait_unique(4000)
    assert one.stop() == OK
    sink.assert_exactly({"w1": 4000})


@no_preload
def test_no_memory_from_some_call_on(agent, server, tmp_path, host):
    """Whichever allocation is the first to fail, the next start is right."""
    one = agent(base_config(server.url, [tmp_path / "*.log"], **FAST_RETRY), env={})
    written = 0
    ended = 0
    for fail_at in (1, 40, 90, 150, 220, 300, 360, 420, 460, 500, 560, 640, 720, 900):
        loggen(tmp_path / "a.log", 500, start_seq=written + 1)
        written += 500
        one.env.update(LD_PRELOAD=host, WHERRY_FAIL_AT=str(fail_at))
        run = one._spawn(["run", "--once", "--timeout", "10s", "-c", one.config])
        one._wait(run, 60)
        run.killed = True  # how it ends without memory is its own affair
        ended += run.code != OK
    assert ended >= 3, "memory never ran out"
    del one.env["LD_PRELOAD"], one.env["WHERRY_FAIL_AT"]
    one.run_once()
    server.wait_docs(written)
    assert len(set(server.messages())) == written


def test_address_space_that_is_too_small(agent, sink, tmp_path):
    """A limit that the process runs into while it works: it ends or it goes on, and loses nothing."""
    if SANITIZED:
        pytest.skip("sanitizers need terabytes of address space")
    loggen(tmp_path / "a.log", 20000)
    one = agent(base_config(sink.url, [tmp_path / "a.log"]))
    for mib in (20, 40, 60, 80, 120):
        with open(os.devnull, "wb") as null:
            process = subprocess.Popen(
                [BINARY, "run", "--once", "--timeout", "3s", "-c", one.config],
                cwd=one.directory, stdout=null, stderr=null,
                preexec_fn=lambda: (die_with_parent(), resource.setrlimit(
                    resource.RLIMIT_AS, (mib << 20, mib << 20))))
            process.wait(60)
    one.run_once()
    sink.assert_exactly({"w1": 20000})


def test_backlog_of_300_mb_takes_no_more_memory_than_one_of_3(agent, tmp_path):
    """Refused connections: what cannot be sent stays in the files."""
    seen = []
    for n, megabytes in enumerate((3, 300)):
        directory = tmp_path / ("n%d" % n)
        directory.mkdir()
        loggen(directory / "a.log", megabytes * 1000, size=1000, burst=1000)
        server = fs.FaultServer().start()
        server.pause()  # nobody listens on its port now
        one = agent(base_config(server.url, [directory / "*.log"], shutdown_timeout="100ms",
                                **FAST_RETRY), directory=directory).start()
        one.wait_log("trying again")
        highest = []
        holds_for(lambda: highest.append(one.memory_kib()) is None, 1)
        seen.append(max(highest))
        assert one.stop() == OK
        os.unlink(directory / "a.log")
    if not SANITIZED:
        assert seen[1] < seen[0] + (8 << 10) and seen[1] < 32 << 10, "%r KiB" % seen


def test_long_stop_in_the_midst_of_everything(agent, sink, tmp_path):
    """SIGSTOP through rotations and answers: it catches up."""
    one = agent(base_config(sink.url, [tmp_path / "a.log"], **FAST_RETRY)).start()
    writer = Loggen(tmp_path / "a.log", 60000, rate=20000, burst=20, rotate_every=11000)
    sink.wait_unique(2000)
    one.send_signal(signal.SIGSTOP)
    writer.wait()
    one.send_signal(signal.SIGCONT)
    sink.wait_unique(60000)
    assert one.stop() == OK
    sink.assert_exactly({"w1": 60000})


@pytest.mark.parametrize("run", [1, 2, 3])
def test_killed_twice_at_50000_lines_a_second(agent, sink, tmp_path, run):
    lines = int(100000 / TIME_SCALE)
    one = agent(base_config(sink.url, [tmp_path / "a.log"], **FAST_RETRY)).start()
    writer = Loggen(tmp_path / "a.log", lines, rate=50000, burst=50, rotate_every=40000)
    for share in (0.2, 0.6):
        sink.wait_unique(int(lines * share) + run * 997)
        one.kill()
        one.start()
    writer.wait()
    sink.wait_unique(lines)
    assert one.stop() == OK
    sink.assert_exactly({"w1": lines})
