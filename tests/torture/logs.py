"""The log files of a run: writing, rotating, and what every file's content was.

A *life* is the content of one file from its first byte to its truncation or its last; each line is
known by its text, which no other line has."""

import gzip
import os
import shutil
import time

import seqline

MTIME_STEP = 0.006  # lives are told apart in time by the kernel's coarse clock


class Life:
    def __init__(self, name):
        self.name = name
        self.size = 0
        self.lines = []
        self.last_write = 0.0

    def __repr__(self):
        return self.name


class Line:
    def __init__(self, life, offset, seq):
        self.life, self.offset, self.seq = life, offset, seq

    def __repr__(self):
        return "%s seq %d at %d" % (self.life, self.seq, self.offset)


class LogFile:
    """One family of files (plan.Family), as its writer and its rotation see it."""

    def __init__(self, family, directory, lines):
        self.family = family
        self.directory = os.path.join(directory, family.directory)
        os.makedirs(self.directory, exist_ok=True)
        self.path = os.path.join(self.directory, family.name)
        self.lines = lines  # text -> Line, of all files of the run
        self.lives = []
        self.rotated = []  # (path, life), the oldest first
        self.seq = 0
        self.half = b""  # the rest of a line that was begun
        self.hash = seqline.writer_hash(family.writer)
        self.fd = None
        self.old = None  # (fd, life, until): a writer that does not know of the rename yet
        self.begin()

    def begin(self):
        """A new file at the path."""
        self.fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self.new_life()

    def new_life(self):
        self.lives.append(Life("%s#%d" % (self.family.name, len(self.lives) + 1)))

    @property
    def life(self):
        return self.lives[-1]

    def target(self):
        """Where the writer writes now."""
        if self.old is not None and time.monotonic() >= self.old[2] and not self.half:
            os.close(self.old[0])
            self.old = None
        return self.old[:2] if self.old is not None else (self.fd, self.life)

    def put(self, fd, life, data):
        assert os.write(fd, data) == len(data)
        life.last_write = time.monotonic()

    def write(self, count, size, half):
        """count lines of size bytes, one write(2); the last may stay without its second half."""
        fd, life = self.target()
        if life.size == 0 and len(self.lives) > 1:
            before = max(other.last_write for other in self.lives[:-1])
            time.sleep(max(0.0, before + MTIME_STEP - time.monotonic()))
        data = bytearray(self.half)
        for _ in range(count):
            self.seq += 1
            text = seqline.line(self.family.writer, self.seq, size - 1, self.hash)
            self.lines[text] = line = Line(life, life.size, self.seq)
            life.lines.append(line)
            life.size += len(text) + 1
            data += text.encode() + b"\n"
        cut = size // 2 if half else 0
        self.half = bytes(data[len(data) - cut:]) if cut else b""
        self.put(fd, life, bytes(data[: len(data) - cut]))

    def finish_line(self):
        if self.half:
            fd, life = self.target()
            self.put(fd, life, self.half)
            self.half = b""

    # ---- rotation

    def shift(self):
        """The name for the file that is rotated now."""
        scheme, n = self.family.scheme, len(self.lives)
        if scheme == "number":
            moved = []
            for number, (path, life) in zip(range(len(self.rotated), 0, -1), self.rotated):
                suffix = ".gz" if path.endswith(".gz") else ""
                to = "%s.%d%s" % (self.path, number + 1, suffix)
                if os.path.exists(path):
                    os.rename(path, to)
                moved.append((to, life))
            self.rotated = moved
            return self.path + ".1"
        if scheme == "reverse":
            return "%s.%d" % (self.path, n)
        if scheme == "dateext":
            return "%s-20261123-%02d" % (self.path, n)
        stem, extension = os.path.splitext(self.path)
        return "%s-2026-11-23-%02d%s" % (stem, n, extension)

    def rotate(self, how, late, pause):
        """late: the writer goes on with the old file for so many ms. pause: ms between the steps."""
        if how == "copytruncate":
            self.finish_line()
            if self.life.size == 0:
                return
            name = self.shift()
            shutil.copyfile(self.path, name)
            time.sleep(pause / 1000)
            os.ftruncate(self.fd, 0)
            self.rotated.append((name, self.life))
            self.new_life()
            return
        if self.old is not None:  # its writer learns of the rename now
            self.finish_line()
            os.close(self.old[0])
            self.old = None
        if not late:
            self.finish_line()
        if how == "unlink":
            os.unlink(self.path)
        else:
            name = self.shift()
            if how == "link":
                os.link(self.path, name)
                time.sleep(pause / 1000)
                os.unlink(self.path)
            else:
                os.rename(self.path, name)
                time.sleep(pause / 1000)
            self.rotated.append((name, self.life))
        old = (self.fd, self.life)
        self.begin()
        if late:
            self.old = old + (time.monotonic() + late / 1000,)
        else:
            os.close(old[0])

    def compress(self):
        """The oldest copy that is still plain, as gzip does it: same time, then unlinked."""
        for i, (path, life) in enumerate(self.rotated[:-1]):
            if path.endswith(".gz") or not os.path.exists(path):
                continue
            st = os.stat(path)
            with open(path, "rb") as source, gzip.open(path + ".gz", "wb", 1) as to:
                shutil.copyfileobj(source, to)
            os.utime(path + ".gz", ns=(st.st_atime_ns, st.st_mtime_ns))
            os.unlink(path)
            self.rotated[i] = (path + ".gz", life)
            return

    def delete(self, is_drained):
        """The oldest copy, if all its lines have arrived."""
        for i, (path, life) in enumerate(self.rotated):
            busy = self.old is not None and self.old[1] is life
            if os.path.exists(path) and not busy and is_drained(life):
                os.unlink(path)
                if self.family.scheme != "number" or i == 0:
                    del self.rotated[i]
                return

    def close(self):
        self.finish_line()
        for fd in [self.fd] + ([self.old[0]] if self.old else []):
            os.close(fd)
