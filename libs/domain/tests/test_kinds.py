import msgspec
import pytest
from domain.events import DueEvent, OccasionAdded
from domain.kind import Kind
from domain.kinds import KINDS
from msgspec import inspect

kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def test_every_module_brings_its_kind() -> None:
    assert KINDS.keys() >= {"ANNIVERSARY", "BIRTHDAY", "NOTIFICATION", "REMINDER"}


@kinds
def test_a_kind_has_a_due_event_of_its_own(kind: Kind) -> None:
    assert issubclass(kind.due_event, DueEvent)
    assert kind.due_event.event_type.endswith("Due")
    assert [kind] == [other for other in KINDS.values() if other.due_event is kind.due_event]


@kinds
def test_a_kinds_event_tells_the_name_that_its_occasions_have(kind: Kind) -> None:
    struct = inspect.type_info(kind.due_event)
    assert isinstance(struct, inspect.StructType)
    required = {field.name: field.required for field in struct.fields if field.name == "name"}
    expected = {"name": "name" in kind.requires} if "name" in kind.requires | kind.allows else {}
    assert expected == required


def test_an_event_about_a_kind_that_nobody_knows_is_not_decoded() -> None:
    wire = {"occasionId": "0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61", "type": "NAMEDAY"}
    with pytest.raises(msgspec.ValidationError, match=r"Invalid enum value 'NAMEDAY' - at `\$.type`"):
        msgspec.convert(wire, OccasionAdded)
