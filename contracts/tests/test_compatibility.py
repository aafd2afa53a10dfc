"""Contracts only grow: what breaks a consumer is refused, in words; what is let through breaks none."""

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from domain.kinds import KINDS
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from testkit.check_contracts import broken
from testkit.contract_changes import breaking_changes, broken_contracts, read_schema, read_schemas
from testkit.documents import documents

CONTRACTS = Path(__file__).parents[1]
RELEASED = {file: dict(schema) for file, schema in read_schemas(CONTRACTS / "released").items()}
OTHERS = "any other account's queue on"
QUEUES = f"webhook-critical, webhook-high, webhook-low, webhook-normal and {OTHERS} birthday-due"
BIRTHDAY, FAILED = "events/BirthdayDue/v1.schema.json", "events/OccurrenceFailed/v1.schema.json"
TOPIC = "topology.yaml: eventTypes.BirthdayDue: topic"
Change = Callable[[dict[str, Any]], object]


def test_the_contracts_break_nobody_who_uses_the_released_ones() -> None:
    assert broken(CONTRACTS) == []


def test_every_event_type_webhook_and_the_envelope_are_compared() -> None:
    released = CONTRACTS / "released"
    files = {path.relative_to(released).as_posix() for path in (released / "webhooks").glob("*.schema.json")}
    assert len(files) >= len(KINDS)
    assert {*files, "envelope.schema.json", BIRTHDAY, FAILED} <= set(RELEASED)


@pytest.fixture
def change(tmp_path: Path) -> Callable[[str, Change], list[str]]:
    """Change one file of a copy of the released contracts; return what the gate says."""
    before, after = (shutil.copytree(CONTRACTS / "released", tmp_path / name) for name in ("old", "new"))

    def changed(file: str, edit: Change) -> list[str]:
        schema = json.loads((after / file).read_text())
        edit(schema)
        (after / file).write_text(json.dumps(schema))
        return broken_contracts(before, after)

    return changed


REFUSED: list[tuple[str, Change, str]] = [
    (
        BIRTHDAY,
        lambda it: it["properties"].pop("jitterSeconds"),
        "field jitterSeconds is gone; breaks whoever reads it",
    ),
    (
        BIRTHDAY,
        lambda it: (it["properties"].pop("message"), it["required"].remove("message")),
        "field message is gone; breaks whoever reads it",
    ),
    (
        BIRTHDAY,
        lambda it: it["required"].remove("message"),
        "field message is not always there now; breaks whoever reads it",
    ),
    (
        BIRTHDAY,
        lambda it: it["required"].append("jitterSeconds"),
        "field jitterSeconds is required now, which messages of the last release do not have; breaks",
    ),
    (
        BIRTHDAY,
        lambda it: it["properties"]["message"].update(type=["string", "null"]),
        "message: type string is now null; breaks whoever knows only what there was",
    ),
    (
        BIRTHDAY,
        lambda it: it["properties"]["priority"]["enum"].append("whenever"),
        "priority: enum",
    ),
    (
        BIRTHDAY,
        lambda it: it["properties"]["priority"]["enum"].remove("low"),
        "priority: enum ['low'] is narrower now",
    ),
    (BIRTHDAY, lambda it: it["properties"]["userId"].pop("format"), "userId: format uuid is now None"),
    (
        BIRTHDAY,
        lambda it: it["properties"]["message"].update(format="uri"),
        "message: format None is narrower now, uri",
    ),
    (BIRTHDAY, lambda it: it["properties"]["localTime"].update(pattern="^.*$"), "localTime: pattern"),
    (
        BIRTHDAY,
        lambda it: it["properties"]["message"].update(pattern="^Hey"),
        "message: pattern None is narrower now",
    ),
    (
        BIRTHDAY,
        lambda it: it["properties"]["message"].update(maxLength=80),
        "message: maxLength None is narrower now, 80",
    ),
    (
        BIRTHDAY,
        lambda it: it["properties"]["lateBySeconds"].update(type="number"),
        "lateBySeconds: type integer is now number",
    ),
    (BIRTHDAY, lambda it: it.update({"$id": "urn:carillon:event:BirthdayDue:v2"}), "as a whole: $id"),
    (
        FAILED,
        lambda it: it["properties"]["results"]["items"]["properties"]["status"]["enum"].append("lost"),
        "results[].status: enum",
    ),
    ("envelope.schema.json", lambda it: it["properties"].pop("subject"), "field subject is gone"),
    (
        "webhooks/birthday-due.schema.json",
        lambda it: it["properties"].pop("message"),
        "field message is gone",
    ),
]


@pytest.mark.parametrize(("file", "edit", "said"), REFUSED, ids=[said for *_, said in REFUSED])
def test_what_breaks_a_consumer_is_refused_and_says_whom_and_how(
    change: Callable[[str, Change], list[str]], file: str, edit: Change, said: str
) -> None:
    told = change(file, edit)

    who = {
        BIRTHDAY: QUEUES,
        FAILED: f"scheduler-outcomes and {OTHERS} occurrence-failed",
        "envelope.schema.json": "every queue, scheduler-outcomes, scheduler-user-events",
        "webhooks/birthday-due.schema.json": "every endpoint that wants birthday.due",
    }
    assert any(line.startswith(f"{file}: {said}") and who[file] in line for line in told), told


@pytest.mark.parametrize(
    "edit",
    [
        lambda it: it["properties"].update(tone={"type": "string"}),
        lambda it: it.update(description="Otherwise told."),
        lambda it: it["properties"]["message"].update(description="Otherwise told."),
    ],
)
def test_what_only_adds_is_let_through(change: Callable[[str, Change], list[str]], edit: Change) -> None:
    assert change(BIRTHDAY, edit) == []


def test_a_schema_or_a_topic_that_is_gone_is_refused(
    change: Callable[[str, Change], list[str]], tmp_path: Path
) -> None:
    (tmp_path / "new" / FAILED).rename(tmp_path / "new" / "gone.json")
    topology = tmp_path / "new" / "topology.yaml"
    topology.write_text(topology.read_text().replace("birthday-due", "birthdays-due"))

    told = change(BIRTHDAY, lambda _: None)

    assert told == [
        f"{FAILED}: is gone; breaks whoever hears it: scheduler-outcomes and {OTHERS} occurrence-failed",
        f"{TOPIC} birthday-due is now birthdays-due; breaks whoever hears it: {QUEUES}",
    ]


@pytest.mark.parametrize("file", RELEASED)
@given(data=st.data())
@settings(max_examples=20)
def test_what_is_sent_now_is_valid_as_released_and_what_was_sent_then_is_valid_now(
    file: str, data: st.DataObject
) -> None:
    released, current = RELEASED[file], dict(read_schema(CONTRACTS / file))
    for sent, read in ((current, released), (released, current)):
        jsonschema_rs.validate(read, data.draw(documents(sent)), validate_formats=True)


FIELD: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "minLength": 1},
        {"type": "string", "maxLength": 3},
        {"type": "string", "format": "uuid"},
        {"type": "string", "pattern": "^[a-z]+$"},
        {"type": "integer", "minimum": 0},
        {"type": "integer", "minimum": 1, "maximum": 9},
        {"enum": ["critical", "high"]},
        {"enum": ["critical", "high", "normal", "low", "whenever"]},
    ]
)


@st.composite
def changed_schemas(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw a released schema, and the same after a few changes such as people make."""
    old = RELEASED[draw(st.sampled_from(sorted(RELEASED)))]
    new = copy.deepcopy(old)
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from([*sorted(new["properties"]), "tone", "colour"]))
        match draw(st.sampled_from(["field", "remove", "require", "release", "loosen", "narrow"])):
            case "field":
                new["properties"][name] = copy.deepcopy(draw(FIELD))  # changed further, here
            case "remove":
                new["properties"].pop(name, None)
                new["required"] = [field for field in new["required"] if field != name]
            case "require" if name in new["properties"] and name not in new["required"]:
                new["required"].append(name)
            case "narrow" if rule := new["properties"].get(name):
                if "enum" in rule:
                    rule["enum"] = rule["enum"][1:] or rule["enum"]
                else:
                    rule.update({"maxLength": 3} if rule.get("type") == "string" else {"maximum": 3})
            case "release" if name in new["required"]:
                new["required"].remove(name)
            case "loosen" if len(new["properties"].get(name, {})) > 1:
                rule = new["properties"][name]
                rule.pop(
                    draw(
                        st.sampled_from(sorted(rule.keys() - {"type", "enum", "const", "items"}) or ["title"])
                    ),
                    None,
                )
            case _:
                pass
    return old, new


@given(pair=changed_schemas(), data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_whatever_the_gate_lets_through_breaks_no_reader_old_or_new(
    pair: tuple[dict[str, Any], dict[str, Any]], data: st.DataObject
) -> None:
    old, new = pair
    assume(not list(breaking_changes(old, new)))

    for sent, read in ((new, old), (old, new)):
        jsonschema_rs.validate(read, data.draw(documents(sent)), validate_formats=True)
