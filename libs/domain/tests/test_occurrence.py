from itertools import product

from domain.occurrence import OccurrenceStatus, may_become


def test_these_are_the_only_steps() -> None:
    allowed = {
        (before.value, after.value)
        for before, after in product(OccurrenceStatus, repeat=2)
        if may_become(before, after)
    }
    expected = {
        ("PENDING", "PROCESSING"),
        ("PENDING", "CANCELLED"),
        ("PENDING", "EXPIRED"),
        ("PROCESSING", "COMPLETED"),
        ("PROCESSING", "FAILED"),
    }
    assert expected == allowed


def test_what_has_ended_is_final() -> None:
    final = {status.value for status in OccurrenceStatus if status.is_final}
    expected = {"COMPLETED", "FAILED", "CANCELLED", "EXPIRED"}
    assert expected == final
