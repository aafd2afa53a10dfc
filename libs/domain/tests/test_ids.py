from uuid import UUID

from domain.ids import birthday_occasion_id, due_event_id, outcome_event_id

USER = UUID("0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61")


# as `uuidgen --sha1` has them
# computed with sha1sum, by RFC 9562 §5.5
def test_the_derived_ids_never_change() -> None:
    occasion = birthday_occasion_id(USER)
    due = due_event_id(occasion, "2027-02-29")
    completed = outcome_event_id(due, "OccurrenceCompleted")
    failed = outcome_event_id(due, "OccurrenceFailed")
    expected = (
        UUID("361d85da-f011-5fe2-be64-ee554857ab70"),
        UUID("181bc5ae-e3e5-599f-a95d-3320e48d4cf9"),
        UUID("d66746c7-8400-52c6-8703-7a7f624068c0"),
        UUID("d78bff75-a6c5-595e-aba2-e7d029dea805"),
    )
    assert expected == (occasion, due, completed, failed)
