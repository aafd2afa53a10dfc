"""The scheduler as a Lambda function, by AWS's own runtime client."""

import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest
from runtime.database import Connection
from testkit import build
from testkit.broker import Broker
from testkit.fresh_database import FreshDatabase
from testkit.lambda_runtime import FunctionError, LambdaRuntime
from testkit.service_process import StartService

Plan = Callable[..., Coroutine[Any, Any, None]]
HANDLER = "scheduler.lambda_handler.handler"
# What EventBridge calls it with.
A_MINUTE = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


async def test_a_call_a_minute_is_a_round_each(
    start_service: StartService,
    worker_environment: dict[str, str],
    broker: Broker,
    database: FreshDatabase,
    admin: Connection,
    plan: Plan,
) -> None:
    environment = {
        **worker_environment,
        **broker.engine.environment(),
        "CARILLON_ENV": broker.environment,
        "DATABASE_URL": database.url("carillon_scheduler"),
        "START_TIMEOUT_SECONDS": "20",
    }
    now = datetime.now(UTC)
    rings = [
        build.notification_added(occurred_at=now, at=now, first_date=now.date().isoformat()) for _ in range(2)
    ]
    async with LambdaRuntime() as runtime:
        await runtime.start(start_service, HANDLER, environment)
        for count, ring in enumerate(rings, start=1):
            await plan(build.user_created(user_id=ring.user_id), ring)

            assert await runtime.call(A_MINUTE) is None

            assert (
                await admin.fetchval(
                    "SELECT count(*) FROM outbox.messages WHERE event_type = $1", "NotificationDue"
                )
                == count
            )


async def test_what_keeps_it_from_starting_is_the_functions_error_at_every_call(
    start_service: StartService, worker_environment: dict[str, str]
) -> None:
    async with LambdaRuntime() as runtime:
        await runtime.start(start_service, HANDLER, {**worker_environment, "CLAIM_BATCH": "none"})
        for _ in range(2):
            with pytest.raises(FunctionError) as failed:
                await runtime.call(A_MINUTE)

            told = json.loads(str(failed.value))
            assert told["errorType"] == "SettingsError"
            assert told["errorMessage"].startswith("CLAIM_BATCH is not valid")
