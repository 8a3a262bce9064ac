"""What one run does, decided by its seed alone: files and how they rotate, what happens to the agent
and to the server, and when. Carrying it out (run.py) adds no decision of its own."""

import random

NAMES = ("app.log", "web.log", "db.log")
SCHEMES = ("number", "number", "reverse", "dateext", "datestem")
ROTATIONS = ("rename", "rename", "rename", "copytruncate", "copytruncate", "link", "unlink")
LIFE = ("kill", "kill", "kill", "term", "term", "stall", "stillborn")
FAULTS = ("refuse", "items429", "items503", "cut", "drop", "stall", "too_large", "status429",
          "status503", "reset", "cut_json")
LINE_MIN = 70  # a file of one line can be told from others: its head has 64 bytes


class Family:
    """One log file and what it is rotated to."""

    def __init__(self, rnd, name, directory):
        self.name = name
        self.directory = directory
        self.writer = name.split(".")[0]
        self.scheme = rnd.choice(SCHEMES)
        kinds = ROTATIONS if rnd.random() < 0.3 else (rnd.choice(ROTATIONS[:-1]),)
        self.rotations = kinds
        self.size = rnd.choice((LINE_MIN, 90, 120, 200, 400, 1500))
        self.late = rnd.random() < 0.3 and "copytruncate" not in kinds
        self.compress = rnd.random() < 0.4
        self.pattern = rnd.choice((name, name, name + "*", "*.log"))


class Plan:
    """Times are milliseconds from the first event; events are sorted by them."""

    def __init__(self, seed, compress=True):
        rnd = random.Random(seed)
        self.seed = seed
        self.duration = rnd.randint(700, 1600)
        self.events = []
        self.dead_share = rnd.choice((0, 0, 0.02))
        self.shared_directory = rnd.random() < 0.4
        names = NAMES[: rnd.randint(1, len(NAMES))]
        self.families = [Family(rnd, name, "logs" if self.shared_directory
                                else "logs/" + name.split(".")[0]) for name in names]
        if self.shared_directory and any(f.pattern == "*.log" for f in self.families):
            for family in self.families:
                family.pattern = "*.log"
        for family in self.families:
            family.compress = family.compress and compress
        self.options = self._options(rnd)
        self._life(rnd)
        self._faults(rnd)
        for family in self.families:
            self._writes(rnd, family)
            self._rotations(rnd, family)
        self.events.sort(key=lambda e: e[0])

    def _options(self, rnd):
        return {
            "shutdown_timeout": rnd.choice(("0s", "200ms", "2s")),
            "output__bulk_max_bytes": rnd.choice(("128KiB", "256KiB", "1MiB")),
            "output__workers": rnd.choice((1, 2, 4)),
            "output__linger": rnd.choice(("5ms", "20ms", "100ms")),
            "output__compression": rnd.choice(("none", "none", "gzip")),
            "output__backoff__init": "10ms",
            "output__backoff__max": "100ms",
            "dead_letter.when_full": "block",
            "logging.level": "debug",
        }

    def _add(self, at, verb, *args):
        self.events.append((at, verb) + args)

    def _life(self, rnd):
        """What happens to the process; windows in which it is down are kept for the rotations."""
        self.down = []
        at = 0
        for _ in range(rnd.choice((0, 1, 1, 2, 2, 3, 4))):
            at += rnd.randint(20, 500)
            verb = rnd.choice(LIFE)
            away = rnd.choice((0, 0, 20, 100, 300))
            if verb == "stall":
                away = max(away, 20)
            self._add(at, verb, rnd.randint(1, 60))
            self._add(at + away, "continue" if verb == "stall" else "start")
            if away >= 100:
                self.down.append((at + 5, at + away - 5))
            at += away
        self.duration = max(self.duration, at + 100)

    def _faults(self, rnd):
        at = 0
        for _ in range(rnd.choice((0, 0, 1, 1, 2, 3))):
            at += rnd.randint(0, 500)
            lasts = rnd.randint(30, 500)
            self._add(at, "fault", rnd.choice(FAULTS))
            self._add(at + lasts, "fault", "none")
            if lasts >= 200:
                self.down.append((at + 5, at + lasts - 5))
            at += lasts
        self.duration = max(self.duration, at + 50)

    def _writes(self, rnd, family):
        pause = rnd.choice((4, 15, 60))
        at = 0.0
        while at < self.duration:
            at += rnd.expovariate(1 / pause)
            lines = rnd.choice((1, 1, 3, 20, 20, 60)) if rnd.random() < 0.97 else 600
            size = family.size + rnd.choice((0, 0, rnd.randint(0, 80)))
            if rnd.random() < 0.01:
                size = rnd.randint(5000, 60000)
                lines = 1
            self._add(at, "write", family, max(1, min(lines, 400000 // size)), size,
                      rnd.random() < 0.15)

    def _rotations(self, rnd, family):
        times = [rnd.uniform(0.02, 0.98) * self.duration
                 for _ in range(rnd.choice((0, 1, 1, 2, 3, 4)))]
        for start, end in self.down:
            if rnd.random() < 0.7:
                times += [rnd.uniform(start, end) for _ in range(rnd.randint(1, 3))]
        for at in sorted(times):
            self._add(at, "rotate", family, rnd.choice(family.rotations),
                      rnd.randint(1, 60) if family.late else 0, rnd.choice((0, 0, 5, 30)))
            if family.compress:
                self._add(at + rnd.randint(1, 300), "compress", family)
        for _ in range(rnd.choice((0, 0, 1, 3))):
            self._add(rnd.uniform(0.2, 1) * self.duration, "delete", family)
