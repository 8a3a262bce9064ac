"""From runs to rows: medians, ratios, marks."""

import figures

# of a drain: what its own row shows
COLUMNS = ("case", "agent", "result (median, min-max)", "to reach", "mark")


def median(values):
    values = sorted(values)
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def spread(values, form):
    text = form % median(values)
    if len(values) > 1:
        text += " (%s-%s)" % (form % min(values), form % max(values))
    return text


def good(runs):
    return [run for run in runs if not run["wrong"]]


def ratios(results, case, agent, other_case, other):
    """Of MB per CPU second, round by round."""
    mine = {run["round"]: run for run in good(results.get((case, agent), []))}
    theirs = {run["round"]: run for run in good(results.get((other_case, other), []))}
    return [mine[n]["mb_per_cpu_s"] / theirs[n]["mb_per_cpu_s"] for n in sorted(mine)
            if n in theirs]


def judged_values(results, figure):
    """The values that a figure is about, and why some do not count."""
    case, what = figure.case, figure.what
    if case == "drains":
        runs = [run for (_, agent), some in results.items() if agent == "wherry"
                for run in some if "mb_per_cpu_s" in run and run["case"] != "backlog"]
        return ([max(run["anon"] for run in runs)] if runs else []), []
    runs = results.get((case, "wherry"), [])
    why = sorted({reason for run in runs for reason in run["wrong"]})
    if what in ("ceiling", "rsyslog"):
        return ratios(results, case, "wherry", case, what), why
    if what == "plain":
        return ratios(results, case, "wherry", "nginx-isal-lean", "wherry"), why
    return [run[what] for run in good(runs) if what in run], why


def mark_of(figure, values, why, rounds):
    """A wrong run fails its row; void ones do as well unless most rounds count."""
    if any(reason.startswith("WRONG") for reason in why):
        return "WRONG"
    if any(reason.startswith("failed") for reason in why):
        return "FAILED"
    if not values or len(values) * 2 <= rounds and figure.case != "drains":
        return "void"
    return "reached" if figures.reached(figure, median(values)) else "MISSED"


def figure_rows(results):
    rows = []
    for figure in figures.FIGURES:
        values, why = judged_values(results, figure)
        runs = results.get((figure.case, "wherry"), [])
        if not values and not runs:
            continue
        rows.append({
            "case": figure.case, "what": figures.WORDS[figure.what], "values": values,
            "result": spread(values, figure.form) if values else "-",
            "limit": "%s %g" % (figure.sign, figure.limit),
            "mark": mark_of(figure, values, why, len(runs)), "why": why,
        })
    return rows


def run_rows(results):
    """What was measured, without a judgement: a row for each case and agent."""
    rows = []
    for (case, agent), runs in results.items():
        counted = good(runs)
        why = sorted({reason for run in runs for reason in run["wrong"]})
        notes = sorted({run["note"] for run in runs if "note" in run})
        row = [case, agent]
        if any("mb_per_cpu_s" in run for run in runs):
            row += [spread([run[name] for run in counted], form) if counted else "-"
                    for name, form in (("mb_per_cpu_s", "%.0f"), ("ns_per_line", "%.0f"))]
            row.append("%.1f" % max(run["anon"] for run in runs) if "anon" in runs[0] else "")
            row.append(spread([100 * run["sink_share"] for run in runs], "%.0f")
                       if "sink_share" in runs[0] else "")
            kind = "drain"
        elif any("cpu" in run for run in runs):
            row += [spread([run[name] for run in counted], form) if counted else "-"
                    for name, form in (("cpu", "%.2f"), ("wakeups", "%.0f"), ("anon", "%.2f"),
                                       ("rss", "%.1f"))]
            kind = "going on"
        elif any("p99" in run for run in runs):
            row += [spread([run[name] for run in counted], "%.1f") if counted else "-"
                    for name in ("p50", "p99", "max")]
            kind = "latency"
        else:
            rest = [name for name in ("start", "size") if counted and name in counted[0]]
            row += [spread([run[name] for run in counted], "%.0f") + " " + figures.WORDS[name]
                    for name in rest] or ["-"]
            kind = "other"
        rows.append((kind, row, "; ".join(why + notes)))
    return rows


HEADS = {
    "drain": ("drain", "agent", "MB per CPU second", "CPU ns per line", "RssAnon MiB", "sink %"),
    "going on": ("going on", "agent", "% of a core", "wake-ups/s", "RssAnon MiB", "RSS MiB"),
    "latency": ("latency, ms", "agent", "p50", "p99", "max"),
    "other": ("other", "agent", ""),
}


def layout(head, rows):
    """A table of GitHub's form, in columns."""
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    lines = ["| %s |" % " | ".join(str(cell).ljust(width) for cell, width in zip(row, widths))
             for row in [head, *rows]]
    lines.insert(1, "|%s|" % "|".join("-" * (width + 2) for width in widths))
    return "\n".join(lines)


def text(results):
    parts = []
    rows = run_rows(results)
    for kind, head in HEADS.items():
        some = [row + [why] for k, row, why in rows if k == kind]
        if some:
            parts.append(layout([*head, "remark"], some))
    judged = [(r["case"], r["result"], r["what"], r["limit"], r["mark"],
               "; ".join(r["why"])) for r in figure_rows(results)]
    if judged:
        parts.append(layout(("case", "median (min-max)", "what", "to reach", "mark", "remark"),
                            judged))
    return "\n\n".join(parts)
