"""Compares what arrived with what was written."""

from wherry import SANITIZER, SIDES


class Verdict:
    """Texts of what is wrong, by kind."""

    KINDS = ("lost", "repeated", "altered", "disordered", "ledger")

    def __init__(self):
        self.found = {kind: [] for kind in self.KINDS}

    def add(self, kind, text):
        self.found[kind].append(text)

    def counts(self):
        return {kind: len(texts) for kind, texts in self.found.items()}

    @property
    def bad(self):
        return any(self.found.values())


def check_documents(run, verdict):
    """Each line once, as it was written; each generation is one file's content, by log.offset."""
    seen = {}
    generations = {}
    for (_, id_), document in sorted(run.server.docs.items()):
        text = document["message"]
        line = run.lines.get(text)
        if line is None:
            verdict.add("altered", "%s: %r" % (id_, text[:200]))
            continue
        if text in seen:
            verdict.add("repeated", "%r: %s and %s" % (line, seen[text], id_))
            continue
        seen[text] = id_
        life = generations.setdefault(id_[:12], line.life)
        offset = document["log"]["offset"]
        if offset != line.offset or int(id_[12:25], 16) != offset:
            verdict.add("disordered", "%r: %s says offset %d" % (line, id_, offset))
        elif life is not line.life:
            verdict.add("disordered", "%r: %s is of %s" % (line, id_, life))
    for text, line in run.lines.items():
        if text not in seen:
            verdict.add("lost", repr(line))


def check_ledger(run, number, life, verdict):
    """The ledger of one life that ended by itself."""
    try:
        life.ledger.assert_adds_up()
        abandoned = life.ledger["abandoned"]
        if abandoned["bytes"] or abandoned["lines"]:
            verdict.add("ledger", "life %d: abandoned %r" % (number, abandoned))
        if sum(life.ledger[side]["lines"] for side in SIDES) > len(run.lines):
            verdict.add("ledger", "life %d: more lines than were written: %r" % (
                number, life.ledger.total))
    except AssertionError as e:
        verdict.add("ledger", "life %d: %s" % (number, e))


def judge(run):
    verdict = Verdict()
    check_documents(run, verdict)
    for number, life in enumerate(run.agent.runs, 1):
        if SANITIZER.search(life.stderr):
            verdict.add("ledger", "life %d: a sanitizer's report" % number)
        if life.killed or not life.ledger_due:
            continue
        if life.code != 0 and life is not run.agent.runs[-1] and not run.plan.dead_share:
            verdict.add("ledger", "life %d: exit %s" % (number, life.code))
        check_ledger(run, number, life, verdict)
    for text in run.notes:
        verdict.add("repeated" if "--once" in text else "ledger", text)
    return verdict
