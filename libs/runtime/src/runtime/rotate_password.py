"""Rotation of a role's password, as Secrets Manager asks for it in four steps, by Lambda.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

import asyncio
import os
import secrets
from contextlib import suppress
from typing import Annotated, Any, Literal

import asyncpg
import msgspec
from msgspec import Meta, Struct
from types_aiobotocore_secretsmanager import SecretsManagerClient

from runtime.aws import open_ecs, open_secrets_manager
from runtime.scram import scram_verifier
from runtime.settings import load_settings
from runtime.statements import Statements

SQL = Statements("runtime")

CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
PASSWORD_BYTES = 32
CONNECT_SECONDS = 10.0


class Settings(Struct, frozen=True, kw_only=True):
    """The function's environment: who may change passwords, and which services have one to learn anew."""

    aws_region: Annotated[str, Meta(min_length=1)]
    owner_secret_arn: str
    ecs_cluster: str
    ecs_services: str  # between commas


class Login(Struct, frozen=True, kw_only=True):
    """A role's secret; the owner's has no more than the last two, and one not rotated yet no password."""

    host: str = ""
    port: int = 5432
    dbname: str = ""
    engine: str = ""
    username: str
    password: str = ""


class Step(Struct, frozen=True, rename="pascal"):
    """What Secrets Manager calls the function with."""

    secret_id: str
    client_request_token: str
    step: Literal["createSecret", "setSecret", "testSecret", "finishSecret"]


def handler(event: dict[str, Any], _context: object) -> None:
    """Do one step of a rotation; each may be repeated. Raises what AWS or PostgreSQL raises."""
    asyncio.run(rotate(load_settings(Settings, os.environ), msgspec.convert(event, Step)))


async def rotate(settings: Settings, step: Step) -> None:
    """Do one step: think of a password, set it, try it, make it the one that counts."""
    async with open_secrets_manager(settings.aws_region, connections=2) as client:
        match step.step:
            case "createSecret":
                await create(client, step)
            case "setSecret":
                owner = await read(client, settings.owner_secret_arn, CURRENT)
                await set_password(await read(client, step.secret_id, PENDING), owner)
            case "testSecret":
                login = await read(client, step.secret_id, PENDING)
                await (await connect(login, login)).close()
            case "finishSecret":
                await finish(client, step)
                await restart(settings)


async def create(client: SecretsManagerClient, step: Step) -> None:
    """Keep a new password as pending, unless an earlier try did."""
    stages = (await client.describe_secret(SecretId=step.secret_id))["VersionIdsToStages"]
    login = await read(client, step.secret_id, CURRENT)
    if PENDING in stages.get(step.client_request_token, ()) and await has_value(client, step):
        return
    changed = msgspec.structs.replace(login, password=secrets.token_urlsafe(PASSWORD_BYTES))
    await client.put_secret_value(
        SecretId=step.secret_id,
        ClientRequestToken=step.client_request_token,
        SecretString=msgspec.json.encode(changed).decode(),
        VersionStages=[PENDING],
    )


async def has_value(client: SecretsManagerClient, step: Step) -> bool:
    """Tell whether the pending version has been written: it is made before, and empty."""
    try:
        await client.get_secret_value(SecretId=step.secret_id, VersionId=step.client_request_token)
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


async def set_password(login: Login, owner: Login) -> None:
    """Give the role its password, as the owner. PostgreSQL gets the verifier: its log cannot tell."""
    connection = await connect(login, owner)
    try:
        verifier = scram_verifier(login.password, salt=secrets.token_bytes(16))
        await connection.execute(await connection.fetchval(SQL["set_password"], login.username, verifier))
    finally:
        await connection.close()


async def finish(client: SecretsManagerClient, step: Step) -> None:
    """Make the pending version the current one, unless it is."""
    stages = (await client.describe_secret(SecretId=step.secret_id))["VersionIdsToStages"]
    current = next(version for version, named in stages.items() if CURRENT in named)
    if current != step.client_request_token:
        await client.update_secret_version_stage(
            SecretId=step.secret_id,
            VersionStage=CURRENT,
            MoveToVersionId=step.client_request_token,
            RemoveFromVersionId=current,
        )


async def restart(settings: Settings) -> None:
    """Replace the tasks of the services, a few at a time, so that they are handed the new password."""
    async with open_ecs(settings.aws_region, connections=1) as ecs:
        for service in settings.ecs_services.split(","):
            # The first passwords are made before the services that need them.
            with suppress(ecs.exceptions.ServiceNotFoundException, ecs.exceptions.ServiceNotActiveException):
                await ecs.update_service(
                    cluster=settings.ecs_cluster, service=service, forceNewDeployment=True
                )


async def read(client: SecretsManagerClient, secret_id: str, stage: str) -> Login:
    """Read one stage of a secret."""
    answer = await client.get_secret_value(SecretId=secret_id, VersionStage=stage)
    return msgspec.json.decode(answer["SecretString"], type=Login, strict=False)


async def connect(login: Login, who: Login) -> asyncpg.Connection:
    """Connect to the database of `login` as `who`, encrypted where the server can."""
    return await asyncpg.connect(
        host=login.host,
        port=login.port,
        database=login.dbname,
        user=who.username,
        password=who.password,
        timeout=CONNECT_SECONDS,
    )
