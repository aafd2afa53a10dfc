from datetime import UTC, datetime, time
from io import StringIO

from carillon_local.live_table import LiveTable, Row
from msgspec import structs
from rich.console import Console
from rich.text import Text

WAITING = Row(
    name="Maya Gurung",
    timezone="Asia/Kathmandu",
    local_time=time(22, 33, 55),
    due_at=datetime(2026, 11, 22, 16, 48, 55, tzinfo=UTC),
    status="waiting",
)
DELIVERED = structs.replace(WAITING, status="delivered", lag_ms=41.2, signature_ok=True)


def test_without_a_terminal_each_delivery_is_one_line_told_once() -> None:
    out = StringIO()
    with LiveTable(Console(file=out, force_terminal=False)) as table:
        for rows in ([WAITING], [DELIVERED], [DELIVERED]):
            table.show(rows)

    assert out.getvalue() == (
        "Maya Gurung       Asia/Kathmandu       22:33:55  due 16:48:55 UTC  "
        "delivered    41 ms late  signature ok\n"
    )


def test_on_a_terminal_the_last_state_stays() -> None:
    out = StringIO()
    with LiveTable(Console(file=out, force_terminal=True, width=80)) as table:
        table.show([WAITING])
        table.show([structs.replace(DELIVERED, timezone="Australia/Lord_Howe", signature_ok=False)])

    shown = Text.from_ansi(out.getvalue()).plain
    assert "Maya Gurung Australia/Lord_Howe 22:33:55 16:48:55  delivered   41 ms BAD" in shown
