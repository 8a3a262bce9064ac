"""A mounted filesystem that answers, hangs, fails and answers again on command: FUSE's own protocol
(linux/fuse.h) over /dev/fuse, no library. What is in it is what is in a directory beside it, read
only; without one nothing is.

    with FuseMount(path, back) as mount:
        mount.hang()            what comes from now on waits
        mount.hang(fuse.READ)   only such requests do
        mount.held              how many requests wait
        mount.fail(fuse.READ, errno.EIO)
        mount.answer()          all that waited, and what comes, without errors
        mount.asked[fuse.READ]  how many came
"""

import collections
import ctypes
import errno
import os
import stat
import struct
import threading

import pytest

_libc = ctypes.CDLL(None, use_errno=True)
MS_NOSUID, MS_NODEV, MNT_DETACH = 2, 4, 2
LOOKUP, FORGET, GETATTR, READLINK, OPEN, READ, STATFS, RELEASE = 1, 2, 3, 5, 14, 15, 17, 18
INIT, OPENDIR, READDIR, RELEASEDIR, INTERRUPT, DESTROY = 26, 27, 28, 29, 36, 38
BATCH_FORGET = 42
GETATTR_FH, DIRECT_IO = 1, 1
BLOCK, BLOCKS, FREE, AVAILABLE, FILES, FREE_FILES = 4096, 1000, 600, 500, 100, 30
ROOT = 1


def unmount(path, flags=0):
    """0, or the errno."""
    return 0 if _libc.umount2(os.fsencode(path), flags) == 0 else ctypes.get_errno()


class FuseMount:
    def __init__(self, path, back=None, subtype="hanging"):
        self.path = os.fspath(path)
        try:
            self._fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        except OSError as e:
            pytest.skip("no FUSE here: /dev/fuse: %s" % e)
        options = "fd=%d,rootmode=40000,user_id=%d,group_id=%d,allow_other" % (
            self._fd, os.getuid(), os.getgid())
        if _libc.mount(b"source", os.fsencode(self.path), b"fuse." + subtype.encode(),
                       MS_NOSUID | MS_NODEV, options.encode()) != 0:
            error = ctypes.get_errno()
            os.close(self._fd)
            pytest.skip("this user must not mount: %s" % os.strerror(error))
        self._lock = threading.Lock()
        self._hangs = False
        self._failing = {}
        self._waiting = []
        self._nodes = {}  # number: O_PATH fd, so that a number stays one file's
        if back is not None:
            self._nodes[ROOT] = os.open(back, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._files = {}  # handle: fd
        self.asked = collections.Counter()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        """Lazily unmounted, also when its daemon has died: whoever still waits gets an error as soon
        as that is gone."""
        unmount(self.path, MNT_DETACH)
        if self._fd >= 0:
            self.die()

    def die(self):
        """The daemon ends, whether it is mounted or not."""
        self.answer()
        fd, self._fd = self._fd, -1
        with open("/proc/self/mountinfo") as f:
            mounted = any(line.split()[4] == self.path for line in f)
        if not mounted:
            self._thread.join(10)
        os.close(fd)
        for one in [*self._nodes.values(), *self._files.values()]:
            os.close(one)
        self._nodes, self._files = {}, {}

    @property
    def held(self):
        with self._lock:
            return len(self._waiting)

    def hang(self, *ops):
        """Without ops: whatever comes."""
        with self._lock:
            self._hangs = set(ops) if ops else True

    def fail(self, op, error):
        with self._lock:
            self._failing[op] = error

    def answer(self):
        with self._lock:
            self._hangs = False
            self._failing = {}
            waiting, self._waiting = self._waiting, []
            for request in waiting:
                self._reply(*request)

    # ---- the protocol

    def _serve(self):
        while True:
            try:
                request = os.read(self._fd, 1 << 20)
            except OSError as e:
                if e.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue
                return  # ENODEV: unmounted
            _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
            if opcode in (FORGET, BATCH_FORGET, INTERRUPT, DESTROY):
                continue
            with self._lock:
                self.asked[opcode] += 1
                if self._hangs is True or (self._hangs and opcode in self._hangs):
                    self._waiting.append((opcode, unique, node, request[40:]))
                else:
                    self._reply(opcode, unique, node, request[40:])

    def _reply(self, opcode, unique, node, body):
        error, out = 0, b""
        try:
            if opcode in self._failing:
                raise OSError(self._failing[opcode], "as asked for")
            out = self._answer_to(opcode, node, body)
        except OSError as e:
            error = -e.errno
        try:
            os.write(self._fd, struct.pack("<IiQ", 16 + len(out), error, unique) + out)
        except OSError:
            pass  # whoever asked has gone

    def _answer_to(self, opcode, node, body):
        if opcode == INIT:
            return struct.pack("<IIIIHHIIHHI7I", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, 0, *[0] * 7)
        if opcode == STATFS:
            return struct.pack("<QQQQQIIII6I", BLOCKS, FREE, AVAILABLE, FILES, FREE_FILES, 1 << 16,
                               255, BLOCK, 0, *[0] * 6)
        if opcode == GETATTR and not self._nodes:
            return struct.pack("<QII6Q3I6II", 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
                               0o40755, 2, 0, 0, 0, 4096, 0)
        if opcode == GETATTR:
            flags, _, handle = struct.unpack_from("<IIQ", body)
            fd = self._files.get(handle) if flags & GETATTR_FH else None
            return struct.pack("<QII", 0, 0, 0) + self._attributes(
                os.fstat(self._nodes[node] if fd is None else fd), node)
        if node not in self._nodes:
            raise OSError(errno.ENOSYS, "nothing is in it")
        if opcode == LOOKUP:
            return self._look_up(node, body.rstrip(b"\0"))
        if opcode in (OPEN, OPENDIR):
            fd = os.open("/proc/self/fd/%d" % self._nodes[node], os.O_RDONLY | os.O_CLOEXEC)
            self._files[fd] = fd
            return struct.pack("<QII", fd, DIRECT_IO, 0)
        if opcode == READ:
            handle, offset, size = struct.unpack_from("<QQI", body)
            return os.pread(self._files[handle], size, offset)
        if opcode == READDIR:
            handle, offset, size = struct.unpack_from("<QQI", body)
            return self._names(self._files[handle], offset, size)
        if opcode == READLINK:
            return os.readlink(b"", dir_fd=self._nodes[node])
        if opcode in (RELEASE, RELEASEDIR):
            os.close(self._files.pop(struct.unpack_from("<Q", body)[0]))
            return b""
        raise OSError(errno.ENOSYS, "not needed")

    def _look_up(self, parent, name):
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._nodes[parent])
        found = os.fstat(fd)
        if found.st_ino in self._nodes:
            os.close(fd)
        else:
            self._nodes[found.st_ino] = fd
        return struct.pack("<QQQQII", found.st_ino, 0, 0, 0, 0, 0) + self._attributes(
            found, found.st_ino)

    @staticmethod
    def _attributes(s, number):
        times = [t // 10**9 for t in (s.st_atime_ns, s.st_mtime_ns, s.st_ctime_ns)]
        parts = [t % 10**9 for t in (s.st_atime_ns, s.st_mtime_ns, s.st_ctime_ns)]
        return struct.pack("<6Q10I", number, s.st_size, s.st_blocks, *times, *parts, s.st_mode,
                           s.st_nlink, s.st_uid, s.st_gid, 0, 4096, 0)

    @staticmethod
    def _names(fd, offset, size):
        out = b""
        with os.scandir(fd) as entries:
            for n, entry in enumerate(sorted(entries, key=lambda e: e.name), 1):
                if n <= offset:
                    continue
                name = os.fsencode(entry.name)
                kind = stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode) >> 12
                one = struct.pack("<QQII", entry.inode(), n, len(name), kind) + name
                one += b"\0" * (-len(one) % 8)
                if len(out) + len(one) > size:
                    break
                out += one
        return out
