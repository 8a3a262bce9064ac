#!/usr/bin/env python3
"""Random runs of the agent against random misfortune, each decided by its seed.

usage: torture.py [--runs N] [--seed S] [--parallel P] [--keep] [--plain]
Run i has the seed S + i. A run that fails keeps its directory; `--runs 1 --seed S` decides all the
same once more. --plain: no older copies are compressed. The last line counts what is wrong over all
runs; exit 1 if anything is.
"""

import argparse
import concurrent.futures
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lib")]

from plan import Plan  # noqa: E402
from run import Run  # noqa: E402
from tools import die_with_parent  # noqa: E402
from verdict import Verdict, judge  # noqa: E402

ONE_LIMIT = 120  # seconds for one run, whatever it waits for
SHOWN = 6


def describe(plan):
    verbs = [e[1] for e in plan.events]
    names = sorted(set(verbs) - {"write", "start", "continue", "fault"})
    faults = [e[2] for e in plan.events if e[1] == "fault" and e[2] != "none"]
    return "%s; %s%s; server: %s" % (
        ", ".join("%s %s %s" % (f.pattern, f.scheme, "/".join(sorted(set(f.rotations))))
                  for f in plan.families),
        " ".join("%d %s" % (verbs.count(n), n) for n in names) or "quiet",
        " dead" if plan.dead_share else "", " ".join(faults) or "well")


def one(seed, directory, plain):
    """One run in this process; prints its result as JSON."""
    plan = Plan(seed, not plain)
    begin = time.monotonic()
    run = Run(plan, directory)
    error = None
    try:
        run.whole()
    except AssertionError as e:
        error = str(e)
    verdict = judge(run)
    if error is not None:
        verdict.add("ledger", "run: " + error)
    print(json.dumps({
        "seed": seed, "plan": describe(plan), "lines": len(run.lines),
        "lives": len(run.agent.runs), "seconds": time.monotonic() - begin,
        "counts": verdict.counts(),
        "first": {k: v[:SHOWN] for k, v in verdict.found.items() if v}}))


def spawn(seed, work, keep, plain):
    """One run in a process of its own; returns its result."""
    directory = os.path.join(work, "seed-%d" % seed)
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    result = {"seed": seed, "directory": directory, "counts": {}, "first": {}}
    process = subprocess.Popen([sys.executable, __file__, "--one", str(seed), "--work", directory]
                               + (["--plain"] if plain else []),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               preexec_fn=die_with_parent)
    try:
        out, err = process.communicate(timeout=ONE_LIMIT)
        result.update(json.loads(out))
    except (subprocess.TimeoutExpired, ValueError) as e:
        process.kill()
        err = "" if isinstance(e, subprocess.TimeoutExpired) else err
        result.update(counts={"ledger": 1}, first={"ledger": ["%s %s" % (e, err[-3000:])]})
    if not any(result["counts"].values()) and not keep:
        shutil.rmtree(directory, ignore_errors=True)
    return result


def show(result):
    good = not any(result["counts"].values())
    print("seed %d: %s, %s lines, %s lives, %.1f s: %s" % (
        result["seed"], "ok" if good else "FAILED", result.get("lines", "?"),
        result.get("lives", "?"), result.get("seconds", ONE_LIMIT), result.get("plan", "")))
    if good:
        return
    print("  %s, kept in %s" % (
        ", ".join("%d %s" % (n, k) for k, n in result["counts"].items() if n),
        result["directory"]))
    for kind, texts in result["first"].items():
        for text in texts:
            print("  %s: %s" % (kind, text))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--one", type=int)
    parser.add_argument("--work")
    args = parser.parse_args()
    if args.one is not None:
        one(args.one, args.work, args.plain)
        return 0
    seed = random.SystemRandom().randrange(1 << 31) if args.seed is None else args.seed
    work = args.work or tempfile.mkdtemp(prefix="wherry-torture-")
    total = {kind: 0 for kind in Verdict.KINDS}
    print("torture: %d runs from seed %d" % (args.runs, seed))
    with concurrent.futures.ThreadPoolExecutor(args.parallel) as pool:
        for result in pool.map(lambda i: spawn(seed + i, work, args.keep, args.plain), range(args.runs)):
            show(result)
            sys.stdout.flush()
            for kind, n in result["counts"].items():
                total[kind] += n
    bad = any(total.values())
    if not bad and not args.keep and args.work is None:
        shutil.rmtree(work, ignore_errors=True)
    print("torture: %d runs, %d lost, %d repeated, %d altered, %d disordered, "
          "%d ledger mismatches" % ((args.runs,) + tuple(total[k] for k in Verdict.KINDS)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
