"""AWS clients: one a service for the process, tuned; AWS_ENDPOINT_URL leads them to another engine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from types_aiobotocore_ecs import ECSClient
from types_aiobotocore_secretsmanager import SecretsManagerClient
from types_aiobotocore_sns import SNSClient
from types_aiobotocore_sqs import SQSClient
from types_aiobotocore_ssm import SSMClient

# One for the process: it keeps the services' descriptions, 60 to 180 ms of CPU to read for each client.
SESSION = get_session()


def client_config(connections: int) -> AioConfig:
    """Return the settings of a client that may have `connections` calls under way."""
    return AioConfig(
        retries={"mode": "standard", "max_attempts": 5},
        max_pool_connections=connections,
        connect_timeout=3,
        # Longer than the longest poll (20 s), so that an empty receive is an answer and not an error.
        read_timeout=30,
        # Checked by our own types and tests; saves about a tenth of a call's client-side CPU.
        parameter_validation=False,
    )


@asynccontextmanager
async def open_sns(region: str, *, connections: int) -> AsyncIterator[SNSClient]:
    """Open the process's SNS client."""
    async with SESSION.create_client("sns", region_name=region, config=client_config(connections)) as client:
        yield client


@asynccontextmanager
async def open_sqs(region: str | None, *, connections: int) -> AsyncIterator[SQSClient]:
    """Open the process's SQS client; without a region, in that of AWS's own settings."""
    async with SESSION.create_client("sqs", region_name=region, config=client_config(connections)) as client:
        yield client


@asynccontextmanager
async def open_secrets_manager(region: str, *, connections: int) -> AsyncIterator[SecretsManagerClient]:
    """Open a client of Secrets Manager."""
    async with SESSION.create_client(
        "secretsmanager", region_name=region, config=client_config(connections)
    ) as client:
        yield client


@asynccontextmanager
async def open_ssm(region: str, *, connections: int) -> AsyncIterator[SSMClient]:
    """Open a client of the Parameter Store."""
    async with SESSION.create_client("ssm", region_name=region, config=client_config(connections)) as client:
        yield client


@asynccontextmanager
async def open_ecs(region: str, *, connections: int) -> AsyncIterator[ECSClient]:
    """Open a client of ECS."""
    async with SESSION.create_client("ecs", region_name=region, config=client_config(connections)) as client:
        yield client
