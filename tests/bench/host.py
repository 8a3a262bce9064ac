"""What /proc tells of processes and cores."""

import os

TICK = os.sysconf("SC_CLK_TCK")


def _read(path):
    with open(path, encoding="ascii", errors="replace") as f:
        return f.read()


def family(pid):
    """A process and what it has started."""
    found = [pid]
    for one in found:
        try:
            tasks = os.listdir("/proc/%d/task" % one)
            for task in tasks:
                found += map(int, _read("/proc/%d/task/%s/children" % (one, task)).split())
        except OSError:
            pass
    return found


def cpu_seconds(pid):
    """User and system time of all threads of a process and of its children, also of those that
    have ended: what wait4 would tell at its end."""
    total = 0
    for one in family(pid):
        try:
            fields = _read("/proc/%d/stat" % one).rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15] if one == pid else fields[11:13]))
    return total / TICK


def cpu_fine(pid):
    """The same to the nanosecond, of threads that live; for those that need little."""
    total = 0
    for one in family(pid):
        try:
            for task in os.listdir("/proc/%d/task" % one):
                total += int(_read("/proc/%d/task/%s/schedstat" % (one, task)).split()[0])
        except OSError:
            pass
    return total / 1e9


def wakeups(pid):
    """Voluntary context switches of all threads."""
    total = 0
    for one in family(pid):
        try:
            for task in os.listdir("/proc/%d/task" % one):
                for line in _read("/proc/%d/task/%s/status" % (one, task)).splitlines():
                    if line.startswith("voluntary_ctxt_switches"):
                        total += int(line.split()[1])
        except OSError:
            pass
    return total


def memory(pid):
    """MiB: private memory and resident memory of a process and its children."""
    anon = rss = 0
    for one in family(pid):
        try:
            for line in _read("/proc/%d/status" % one).splitlines():
                if line.startswith("RssAnon"):
                    anon += int(line.split()[1])
                elif line.startswith("VmRSS"):
                    rss += int(line.split()[1])
        except OSError:
            pass
    return anon / 1024, rss / 1024


def core_times(core):
    """Seconds that a core was busy, and in all."""
    for line in _read("/proc/stat").splitlines():
        words = line.split()
        if words[0] == "cpu%d" % core:
            values = list(map(int, words[1:9]))
            return (sum(values) - values[3] - values[4]) / TICK, sum(values) / TICK
    raise RuntimeError("no core %d" % core)


def model():
    for line in _read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"
