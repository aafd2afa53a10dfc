"""Whoever is woken finds what to do: every alarm that docs/deployment.md lists is in a runbook."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
SUFFIXES = {"-page", "-age"}


def names(text: str) -> set[str]:
    return set(re.findall(r"`([a-z{}-]+)`", text))


def test_every_alarm_has_a_runbook() -> None:
    text = (DOCS / "deployment.md").read_text(encoding="utf-8")
    listed = text.split("## Each alarm", 1)[1].split("\n## ", 1)[0]
    rows = [line.split("|")[1] for line in listed.splitlines() if line.startswith("| `")]
    as_functions = listed.split("As Lambdas:", 1)[1]
    alarms = names("".join(rows)) | {
        name for name in names(as_functions) if name.endswith(("ed", "duration", "silent"))
    }
    assert len(alarms) > 30

    told = names((DOCS / "runbooks.md").read_text(encoding="utf-8"))

    of_dead_letters = {
        f"{name}{suffix}" for name in told if name.endswith("dead-letters") for suffix in SUFFIXES
    }
    assert alarms - told - of_dead_letters == set()
