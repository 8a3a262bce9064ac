"""Checks the include lines of agent/ and include/ against scripts/floors.txt: the floors, the rooms
that stand apart, cycles between the modules of a room, and the fences of the libraries.

usage: python3 scripts/lint_includes.py floors|fences FILE...     (from the root of the project)
Prints one line per offence; exit 1 if there is one.

A module is a name in a room: include/ROOM/x.h and agent/ROOM/x.c are ROOM/x, and so is a private header
agent/ROOM/x_part.h that has no contract of its own in include/.
"""

import fnmatch
import os
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


class Plan:
    """floors.txt, read."""

    def __init__(self, path):
        self.floor_of = {}
        self.apart = []
        self.fences = []
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                words = line.split("#")[0].split()
                if not words:
                    continue
                if words[0] == "floor" and len(words) > 2 and words[1].isdigit():
                    for room in words[2:]:
                        self.floor_of[room] = int(words[1])
                elif words[0] == "apart" and len(words) > 2:
                    self.apart.append(set(words[1:]))
                elif words[0] == "fence" and len(words) > 2:
                    self.fences.append((words[1], words[2:]))
                else:
                    sys.exit(f"{path}:{number}: not understood: {line.strip()}")

    def forbids(self, room, other):
        """The reason why a file of one room may not include one of the other, or None."""
        if room == other:
            return None
        if self.floor_of[other] > self.floor_of[room]:
            return f"floor {self.floor_of[other]} ({other}) is above floor {self.floor_of[room]} ({room})"
        if any(room in group and other in group for group in self.apart):
            return f"{room} and {other} never include each other"
        return None


def includes(path):
    """Yields (line number, is it a system include, name) of a file."""
    with open(path, encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if match:
                yield number, match.group(1) == "<", match.group(2)


def room_of(path):
    """include/ROOM/x.h or agent/ROOM/x.c -> ROOM; agent/x.c -> "."; include/x.h -> None."""
    parts = path.split("/")
    if len(parts) == 3:
        return parts[1]
    return "." if len(parts) == 2 and parts[0] == "agent" else None


def module_of(path):
    """The module that a file belongs to."""
    room = room_of(path)
    name = os.path.splitext(os.path.basename(path))[0]
    words = name.split("_") if path.endswith(".h") else []
    for count in range(len(words), 0, -1):
        whole = "_".join(words[:count])
        if os.path.isfile(f"include/{room}/{whole}.h"):
            return f"{room}/{whole}"
    return f"{room}/{name}"


def resolve(path, name):
    """The file that an include "name" in path means, or None."""
    for base in (os.path.dirname(path), "include", "agent"):
        found = os.path.normpath(os.path.join(base, name))
        if os.path.isfile(found):
            return found
    return None


def find_cycle(edges):
    """The first cycle of a graph {node: set of nodes} as a list, or None."""
    done = set()

    def visit(node, trail):
        if node in trail:
            return trail[trail.index(node):] + [node]
        if node in done:
            return None
        for following in sorted(edges.get(node, ())):
            cycle = visit(following, trail + [node])
            if cycle:
                return cycle
        done.add(node)
        return None

    for start in sorted(edges):
        cycle = visit(start, [])
        if cycle:
            return cycle
    return None


def check_floors(plan, files):
    """Yields what breaks the floors."""
    edges = {}
    for path in files:
        room = room_of(path)
        if room not in plan.floor_of:
            yield f"{path}: room {room} is on no floor of scripts/floors.txt"
            continue
        for number, system, name in includes(path):
            if system:
                continue
            target = resolve(path, name)
            if target is None:
                yield f'{path}:{number}: no file for "{name}"'
                continue
            other = room_of(target)
            if other not in plan.floor_of:
                yield f"{path}:{number}: {target} is in no room of scripts/floors.txt"
                continue
            reason = plan.forbids(room, other)
            if reason:
                yield f'{path}:{number}: includes "{name}": {reason}'
            if room == other and module_of(path) != module_of(target):
                edges.setdefault(module_of(path), set()).add(module_of(target))
    cycle = find_cycle(edges)
    if cycle:
        yield "modules include each other in a circle: " + " -> ".join(cycle)


def check_fences(plan, files):
    """Yields library headers outside their files."""
    for pattern, allowed in plan.fences:
        users = []
        for path in files:
            for number, _, name in includes(path):
                if fnmatch.fnmatch(name, pattern):
                    users.append((path, number, name))
        if allowed == ["ANY"]:
            for path, number, name in users:
                if path != users[0][0]:
                    yield f"{path}:{number}: <{name}> is already used by {users[0][0]}"
            continue
        for path, number, name in users:
            if not any(fnmatch.fnmatch(path, fence) for fence in allowed):
                yield f"{path}:{number}: <{name}> belongs into {' '.join(allowed)}"


def main():
    """Runs the check that is named first over the files named after it."""
    check = {"floors": check_floors, "fences": check_fences}[sys.argv[1]]
    plan = Plan("scripts/floors.txt")
    offences = list(check(plan, sys.argv[2:]))
    for offence in offences:
        print(offence)
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
