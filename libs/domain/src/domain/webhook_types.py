"""The types of webhooks, dotted, as partners know them."""

from domain.events import EVENT_TYPES, DueEvent


def webhook_type(event_type: str) -> str:
    """Give the type of the webhook that tells of a due event: `birthday.due` for BirthdayDue."""
    return f"{event_type.removesuffix('Due').lower()}.due"


WEBHOOK_TYPES = tuple(
    dict.fromkeys(
        webhook_type(event.event_type) for event in EVENT_TYPES.values() if issubclass(event, DueEvent)
    )
)
"""Every type that this release sends."""
