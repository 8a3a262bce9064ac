"""A control group with limits of memory and processor time, version 1 or 2 as the host has it.

    with Cgroup(memory=16 << 20, cpu=0.01) as group:
        words = group.wrap(directory, binary)   a script that runs the binary in it
"""

import os
import signal
import time

import pytest

ROOT = "/sys/fs/cgroup"
PERIOD = 100000


def _write(path, value):
    with open(path, "w") as f:
        f.write(str(value))


def _read(path):
    with open(path) as f:
        return f.read()


class Cgroup:
    def __init__(self, memory=None, cpu=None):
        self._v2 = os.path.exists(os.path.join(ROOT, "cgroup.controllers"))
        name = "wherry-test-%d-%d" % (os.getpid(), time.monotonic_ns())
        controllers = [c for c, value in (("memory", memory), ("cpu", cpu)) if value is not None]
        self._dirs = {}
        try:
            for controller in controllers:
                parent = ROOT if self._v2 else os.path.join(ROOT, controller)
                self._dirs[controller] = os.path.join(parent, name)
                os.makedirs(self._dirs[controller], exist_ok=True)
            if memory is not None:
                self.set_memory(memory)
            if cpu is not None and self._v2:
                _write(os.path.join(self._dirs["cpu"], "cpu.max"),
                       "%d %d" % (cpu * PERIOD, PERIOD))
            elif cpu is not None:
                _write(os.path.join(self._dirs["cpu"], "cpu.cfs_period_us"), PERIOD)
                _write(os.path.join(self._dirs["cpu"], "cpu.cfs_quota_us"), int(cpu * PERIOD))
        except OSError as e:
            self.end()
            pytest.skip("no control group with limits of %s here: %s" % (
                " and ".join(controllers), e))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        for path in set(self._dirs.values()):
            if not os.path.isdir(path):
                continue
            for _ in range(200):
                for pid in _read(os.path.join(path, "cgroup.procs")).split():
                    os.kill(int(pid), signal.SIGKILL)
                try:
                    os.rmdir(path)
                    break
                except OSError:
                    time.sleep(0.02)

    def _memory(self, v1, v2):
        return os.path.join(self._dirs["memory"], v2 if self._v2 else v1)

    def set_memory(self, limit):
        _write(self._memory("memory.limit_in_bytes", "memory.max"), limit)

    def memory_peak(self):
        return int(_read(self._memory("memory.max_usage_in_bytes", "memory.peak")))

    def oom_kills(self):
        lines = _read(self._memory("memory.oom_control", "memory.events")).splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    def add(self, pid):
        for path in set(self._dirs.values()):
            _write(os.path.join(path, "cgroup.procs"), pid)

    def wrap(self, directory, binary):
        """A program that is the binary, in the group."""
        script = os.path.join(os.fspath(directory), "in-group")
        enter = "".join("echo $$ > '%s/cgroup.procs'\n" % d for d in set(self._dirs.values()))
        _write(script, "#!/bin/sh\n%sexec '%s' \"$@\"\n" % (enter, binary))
        os.chmod(script, 0o755)
        return script
