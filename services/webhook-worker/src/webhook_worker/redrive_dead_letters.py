"""Redriving: dead letters that somebody asked back are sent to the queue that they were meant for."""

import asyncio
from datetime import timedelta

import asyncpg
import structlog
from messaging.dead_letters import ATTRIBUTES, find_queue_url, send_back
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop, describe, pause
from types_aiobotocore_sqs import SQSClient

log = structlog.get_logger()

SQL = Statements("webhook_worker")

MOST_AT_ONCE = 10
# Longer than a send takes, with its repetitions.
LEASE = timedelta(seconds=60)
LOOK_EVERY_SECONDS = 1.0


async def redrive_dead_letters(pool: Pool, sqs: SQSClient, environment: str, stop: Stop) -> None:
    """Send back what is asked back until `stop` is set."""
    while not stop.is_set():
        if await redrive(pool, sqs, environment) < MOST_AT_ONCE:
            await pause(stop, LOOK_EVERY_SECONDS)


async def redrive(pool: Pool, sqs: SQSClient, environment: str) -> int:
    """Lease, send, mark; return how many were leased.

    Whoever dies between the last two leaves what was sent to be sent again once the lease has run out: at
    least once, as any message. What SQS refuses for good is open again, with the reason.
    """
    rows = await pool.fetch(SQL["lease_redrives"], MOST_AT_ONCE, LEASE)
    if not rows:
        return 0
    ended = await asyncio.gather(*(send(sqs, environment, row) for row in rows), return_exceptions=True)
    settled = []
    for row, how in zip(rows, ended, strict=True):
        if isinstance(how, BaseException):
            log.warning("dead_letter.not_sent_back", dead_letter_id=str(row["id"]), error=describe(how))
        else:
            settled.append((row["id"], how))
            log.info("dead_letter.sent_back", dead_letter_id=str(row["id"]), queue=row["queue"], error=how)
    await pool.execute(SQL["end_redrives"], [id_ for id_, _ in settled], [error for _, error in settled])
    return len(rows)


async def send(sqs: SQSClient, environment: str, row: asyncpg.Record) -> str | None:
    """Send one back; return why that can never be, or None."""
    url = await find_queue_url(sqs, environment, row["queue"])
    if url is None:
        return "there is no such queue"
    return await send_back(sqs, url, row["body"], ATTRIBUTES.decode(row["attributes"]), row["group_id"])
