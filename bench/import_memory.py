"""How much memory a long import needs, while it lasts."""

from user_api.context import Context
from user_api.import_users import BATCH_LINES, import_users
from user_api.split_lines import split_lines

from bench import memory
from bench.figures import Figure, rounded
from bench.import_lines import chunks, received

WARM_LINES = 4 * BATCH_LINES


async def memory_of(context: Context, users: int) -> list[Figure]:
    """Import that many users, whose lines exist only when they are read; return what was resident.

    Two batches are in memory at the peak of each; that peak must not rise.
    """
    warm = early = late = None
    async for committed in import_users(context, split_lines(received(chunks(users)))):
        peak = memory.resident_peak()
        if committed.through == WARM_LINES:
            warm = memory.resident()
        elif committed.through <= users // 2:
            early = max(early or 0, peak or 0)
        elif committed.through > WARM_LINES:
            late = max(late or 0, peak or 0)
        memory.forget_peak()
    after = memory.resident()
    if warm is None or early is None or late is None or after is None:
        return []
    half = f"{users // 2:,} lines"
    return [
        Figure(
            what="memory once warm", unit="MB", carillon=rounded(warm), note=f"after {WARM_LINES:,} lines"
        ),
        Figure(what="memory gained by the end", unit="MB", carillon=rounded(after - warm), goal="flat"),
        Figure(
            what="memory's peak in the second half, over the first",
            unit="MB",
            carillon=rounded(late - early),
            goal="flat",
            note=f"{early:.0f} MB in the first {half}, {late:.0f} MB in the last",
        ),
    ]
