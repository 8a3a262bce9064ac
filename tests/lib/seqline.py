"""The lines of tests/tools/loggen in Python: built again from (writer, seq, length), so that a test
can tell whether a line is what was written. The contract is in tests/tools/seqline.h."""

import re

MASK = (1 << 64) - 1
POOL_SIZE = 4096
DIRTY = '"\\\t '
LINE = re.compile(r"([A-Za-z0-9_-]{1,32}) (\d{12}) ([0-9a-f]{16}) ")


def _make_pool():
    alphabet = "etaoinshrdlucmfwypvbgkqjxz    0123456789=/.:"
    x = 1
    chars = []
    for _ in range(POOL_SIZE):
        x = (x * 6364136223846793005 + 1442695040888963407) & MASK
        chars.append(alphabet[(x >> 33) % len(alphabet)])
    return "".join(chars)


POOL = _make_pool() * 2


def writer_hash(writer):
    h = 14695981039346656037
    for c in writer.encode():
        h = ((h ^ c) * 1099511628211) & MASK
    return h


def check_value(hashed, seq):
    z = (hashed + seq * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def line(writer, seq, length=119, hashed=None):
    """The plain line of that length (loggen's --size less the line end)."""
    check = check_value(writer_hash(writer) if hashed is None else hashed, seq)
    text = "%s %012d %016x " % (writer, seq, check)
    if check % 8 == 0:
        text += DIRTY
    need = length - len(text)
    start = check % POOL_SIZE
    while need > 0:
        piece = POOL[start : start + min(need, POOL_SIZE)]
        text += piece
        need -= len(piece)
        start = (start + len(piece)) % POOL_SIZE
    return text


def parse(text):
    """(writer, seq) of a plain line, or None when it is none."""
    match = LINE.match(text)
    return (match.group(1), int(match.group(2))) if match else None


class Checker:
    """Collects lines; tells which are missing, repeated or altered."""

    def __init__(self):
        self.seen = {}
        self.repeated = []
        self.altered = []
        self._hashes = {}

    def add(self, text):
        parsed = parse(text)
        if parsed is None:
            self.altered.append(text)
            return
        writer, seq = parsed
        if writer not in self._hashes:
            self._hashes[writer] = writer_hash(writer)
        if line(writer, seq, len(text), self._hashes[writer]) != text:
            self.altered.append(text)
        elif seq in self.seen.setdefault(writer, set()):
            self.repeated.append(parsed)
        else:
            self.seen[writer].add(seq)

    def missing(self, writer, last, first=1):
        seen = self.seen.get(writer, set())
        return [seq for seq in range(first, last + 1) if seq not in seen]

    def assert_exactly(self, expected):
        """expected: {writer: last number}; every number from 1 to last once, content as written."""
        assert not self.altered, "%d altered, such as %r" % (len(self.altered), self.altered[:3])
        assert not self.repeated, "%d repeated: %r" % (len(self.repeated), self.repeated[:10])
        for writer, last in expected.items():
            missing = self.missing(writer, last)
            assert not missing, "writer %s: %d missing, first %r" % (
                writer, len(missing), missing[:10])
        extra = {w: len(s) for w, s in self.seen.items() if len(s) != expected.get(w, 0)}
        assert not extra, "more than was written: %r" % extra
