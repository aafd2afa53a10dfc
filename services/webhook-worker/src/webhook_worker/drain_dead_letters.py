"""Draining: dead letters are kept in the database and told about, then deleted from their queues."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta

import msgspec
import structlog
from domain.events import DeadLettered
from domain.ids import dead_letter_event_id
from messaging.dead_letters import (
    SOURCES,
    DeadLetter,
    DeadLetterQueue,
    Source,
    delete_dead_letters,
    find_dead_letter_queue,
    receive_dead_letters,
)
from messaging.envelope import Outgoing, compose
from messaging.outbox import append
from messaging.queue import MOST_ENTRIES
from messaging.topology import Queue, Topology
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop, describe, pause
from types_aiobotocore_sqs import SQSClient

from webhook_worker.answer_repeats import SOURCE

log = structlog.get_logger()

SQL = Statements("webhook_worker")

Keep = Callable[[Sequence[DeadLetter]], Awaitable[None]]
# Found once; a queue that is made later is found then.
Known = dict[tuple[str, Source], DeadLetterQueue]


async def drain_dead_letters(
    sqs: SQSClient,
    environment: str,
    queues: Collection[Queue],
    keep: Keep,
    stop: Stop,
    *,
    every_seconds: float,
) -> None:
    """Look into the dead-letter queues of all `queues` every few seconds until `stop` is set."""
    known: Known = {}
    while not stop.is_set():
        await drain_all(sqs, environment, queues, keep, known)
        await pause(stop, every_seconds)


async def drain_all(
    sqs: SQSClient, environment: str, queues: Collection[Queue], keep: Keep, known: Known
) -> None:
    """Drain each queue's, side by side; one that cannot be drained now keeps no other waiting."""

    async def drain_one(queue: Queue, source: Source) -> None:
        try:
            dead = known.get((queue.name, source))
            if dead is None:
                dead = await find_dead_letter_queue(sqs, environment, queue, source)
            if dead is not None:
                known[queue.name, source] = dead
                await drain(dead, keep)
        except Exception as error:  # noqa: BLE001 (what it is about comes again in the next round)
            log.warning("dead_letters.wait", queue=queue.name, error=describe(error))

    await asyncio.gather(*(drain_one(queue, source) for queue in queues for source in SOURCES))


async def drain(dead: DeadLetterQueue, keep: Keep) -> None:
    """Keep and delete ten after ten until there are fewer.

    Whoever dies between the two leaves letters that come again, and are known by their message ids.
    """
    while True:
        letters = await receive_dead_letters(dead)
        if letters:
            await keep(letters)
            await delete_dead_letters(dead, [letter.receipt for letter in letters])
        if len(letters) < MOST_ENTRIES:
            return


async def keep_dead_letters(
    pool: Pool, topology: Topology, offset: timedelta, letters: Sequence[DeadLetter]
) -> None:
    """Commit dead letters that are new, each with its DeadLettered; none about a DeadLettered."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            SQL["keep_dead_letters"],
            [letter.id for letter in letters],
            [letter.queue for letter in letters],
            [letter.source for letter in letters],
            [letter.message_id for letter in letters],
            [letter.reason for letter in letters],
            [letter.event_type for letter in letters],
            [letter.subject for letter in letters],
            [msgspec.json.encode(letter.attributes).decode() for letter in letters],
            [letter.group_id for letter in letters],
            [letter.body for letter in letters],
            offset,
        )
        # Their own erasure may have come by already.
        deleted = await connection.fetch(
            SQL["find_deleted_subjects"], [letter.subject for letter in letters if letter.subject]
        )
        if deleted:
            await connection.execute(SQL["erase_dead_letters"], [row["user_id"] for row in deleted])
        by_id = {letter.id: letter for letter in letters}
        new = [(by_id[row["id"]], row["now"]) for row in rows]
        told = [
            outgoing(
                DeadLettered(
                    dead_letter_id=letter.id,
                    queue=letter.queue,
                    source=letter.source,
                    message_id=letter.message_id,
                    occurred_at=now,
                    reason=letter.reason,
                )
            )
            for letter, now in new
            if letter.event_type != DeadLettered.event_type
        ]
        if told:
            await append(connection, compose(topology, SOURCE, new[0][1], told))
    for letter, _ in new:
        log.error(
            "message.dead",
            dead_letter_id=str(letter.id),
            queue=letter.queue,
            source=letter.source,
            event_type=letter.event_type,
            reason=letter.reason,
        )


def outgoing(dead_lettered: DeadLettered) -> Outgoing:
    """Return the event under its derived id."""
    id_ = dead_lettered.dead_letter_id
    return Outgoing(event_id=dead_letter_event_id(id_), subject=id_, event=dead_lettered)
