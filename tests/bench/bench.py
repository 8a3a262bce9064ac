"""Runs the cases in rounds, prints the tables, writes results.json. scripts/bench-run starts it."""

import json
import os
import subprocess
import sys
import time

import agents
import cases
import host
import table

SEPARATE = ("backlog", "soak")  # only when asked for by name


def number(name, default):
    return int(os.environ.get(name, "") or default)


def settings():
    return {
        "megabytes": number("BENCH_MB", 600),
        "rounds": number("BENCH_ROUNDS", 3),
        "steady_s": number("BENCH_SECONDS", 20),
        "idle_s": number("BENCH_SECONDS", 30),
        "latency_s": number("BENCH_SECONDS", 12),
        "soak_s": number("BENCH_SECONDS", 1800),
        "backlog_mb": number("BENCH_MB", 5000),
    }


def chosen(everything, words):
    """The cases that the words name: a case, the beginning of one, or `drain`, `all`."""
    if not words:
        return [case for case in everything if case.name not in SEPARATE]
    found = []
    for word in words:
        some = [case for case in everything
                if case.name == word or case.name.startswith(word + "-") or
                (word == "drain" and isinstance(case, cases.Drain) and
                 case.name not in SEPARATE)]
        if not some:
            sys.exit("bench: no case \"%s\"; there are: drain %s"
                     % (word, " ".join(case.name for case in everything)))
        found += [case for case in some if case not in found]
    if any(case.name == "tls" for case in found) and \
            not any(case.name == "nginx-isal-lean" for case in found):
        found += [case for case in everything if case.name == "nginx-isal-lean"]
    return found


def kind_of(case):
    if isinstance(case, cases.Drain):
        return "drain"
    return "idle" if isinstance(case, cases.Idle) else case.name


def subjects(case, wherry, others):
    """Who runs a case, in this order, beside each other in time."""
    drain = isinstance(case, cases.Drain)
    mine = ["ceiling"] if drain and case.name not in ("tls", "backlog") else []
    mine.append(wherry)
    beside = case.name in ("nginx-plain-lean", "steady", "idle")
    return mine + [peer for peer in others if beside and kind_of(case) in peer.cases]


def rounds_of(case, rounds):
    """Long ones, and those whose figures hardly vary, run once."""
    once = (cases.Steady, cases.Idle, cases.Latency, cases.Size)
    return 1 if case.name in SEPARATE or isinstance(case, once) else rounds


def run_all(place, config, todo, others):
    wherry = agents.Wherry(place)
    results = {}
    for turn in range(1, config["rounds"] + 1):
        for case in todo:
            if turn > rounds_of(case, config["rounds"]):
                continue
            for subject in subjects(case, wherry, others):
                begin = time.monotonic()
                try:
                    run = case.run(place, subject)
                except (agents.Failed, OSError, subprocess.SubprocessError) as e:
                    run = {"wrong": ["failed: %s" % str(e)[:200].replace("\n", " ")]}
                run.update(round=turn, case=case.name, agent=str(subject),
                           took_s=round(time.monotonic() - begin, 1))
                results.setdefault((case.name, str(subject)), []).append(run)
                print("round %d  %-24s %-10s %5.1f s  %s" % (
                    turn, case.name, subject, run["took_s"], brief(run)),
                    file=sys.stderr, flush=True)
    return results


def brief(run):
    names = ("mb_per_cpu_s", "cpu", "wakeups", "anon", "p50", "p99", "max", "start", "size",
             "growth", "busy", "sink_share")
    shown = ["%s %.4g" % (name, run[name]) for name in names if name in run]
    return ", ".join(shown + run["wrong"])


def version_of(words):
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=20)
        return done.stdout.strip().splitlines()[0] if done.stdout.strip() else ""
    except OSError:
        return ""


def main():
    place = agents.Place()
    config = settings()
    todo = chosen(cases.all_cases(config), sys.argv[1:])
    others = agents.peers(place)
    begin = time.time()
    results = run_all(place, config, todo, others)
    about = {
        "processor": host.model(), "kernel": os.uname().release, "cores": os.cpu_count(),
        "load": os.getloadavg()[0], "seconds": round(time.time() - begin),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begin)),
        "wherry": version_of([place.tool("wherry"), "version"]),
        "commit": version_of(["git", "describe", "--always", "--dirty"]),
        "settings": config,
    }
    rows = table.figure_rows(results)
    out = os.path.join(place.work, "results.json")
    with open(out + ".part", "w", encoding="utf-8") as f:
        json.dump({"about": about, "figures": rows,
                   "runs": [run for runs in results.values() for run in runs]}, f, indent=1)
    os.replace(out + ".part", out)
    print("%s, %d cores, kernel %s; %s, commit %s; %s, %d s\n" % (
        about["processor"], about["cores"], about["kernel"], about["wherry"], about["commit"],
        about["time"], about["seconds"]))
    print(table.text(results))
    bad = [row for row in rows if row["mark"] != "reached"]
    wrong = [run for runs in results.values() for run in runs
             if run["agent"] == "wherry" and any(not w.startswith("void") for w in run["wrong"])]
    print("\n%d of %d figures reached; %s" % (len(rows) - len(bad), len(rows), out))
    return 1 if bad or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
