"""The four steps of a rotation: moto keeps the secrets and the services, PostgreSQL asks for the password."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import asyncpg
import msgspec
import pytest
import pytest_asyncio
from runtime import rotate_password
from runtime.aws import open_ecs, open_secrets_manager
from runtime.rotate_password import Settings, Step, rotate
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.engine import Engine

pytestmark = pytest.mark.judge

REGION = "eu-west-1"
ASK_FOR_A_PASSWORD = """
COPY (SELECT 'host all postgres all trust'
      UNION ALL SELECT 'host all all all scram-sha-256') TO '{hba}'
"""


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Start a PostgreSQL that asks everybody but its owner for a password."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), durable=False)
    server.start()

    async def ask() -> None:
        owner = await asyncpg.connect(server.url("postgres", "postgres"))
        await owner.execute("CREATE ROLE carillon_scheduler LOGIN")
        await owner.execute(ASK_FOR_A_PASSWORD.format(hba=await owner.fetchval("SHOW hba_file")))
        await owner.execute("SELECT pg_reload_conf()")
        await owner.close()

    try:
        asyncio.run(ask())
        yield server
    finally:
        server.remove()


@pytest_asyncio.fixture
async def rotation(aws: Engine, postgres: EmbeddedPostgres) -> AsyncIterator[tuple[Settings, str]]:
    """Give the function's settings and the secret of a role that has no password yet."""
    assert aws.pid
    where = {"host": "127.0.0.1", "port": postgres.port, "dbname": "postgres", "engine": "postgres"}
    async with open_secrets_manager(REGION, connections=1) as client, open_ecs(REGION, connections=1) as ecs:
        owner = await client.create_secret(
            Name=f"owner-{uuid4()}", SecretString=json.dumps({"username": "postgres", "password": ""})
        )
        role = await client.create_secret(
            Name=f"role-{uuid4()}", SecretString=json.dumps({**where, "username": "carillon_scheduler"})
        )
        await ecs.create_cluster(clusterName="carillon-test")
        await ecs.register_task_definition(
            family="scheduler",
            containerDefinitions=[{"name": "scheduler", "image": "scheduler:1", "memory": 512}],
        )
        for service in ("carillon-test-scheduler", "carillon-test-pgbouncer"):
            await ecs.create_service(
                cluster="carillon-test", serviceName=service, taskDefinition="scheduler", desiredCount=1
            )
    yield (
        Settings(
            aws_region=REGION,
            owner_secret_arn=owner["ARN"],
            ecs_cluster="carillon-test",
            ecs_services="carillon-test-scheduler,carillon-test-pgbouncer",
        ),
        role["ARN"],
    )


async def current(secret: str) -> dict[str, str]:
    async with open_secrets_manager(REGION, connections=1) as client:
        answer = await client.get_secret_value(SecretId=secret, VersionStage="AWSCURRENT")
    kept: dict[str, str] = json.loads(answer["SecretString"])
    return kept


async def do(settings: Settings, secret: str, token: str, *steps: str) -> None:
    for step in steps:
        await rotate(settings, Step(secret_id=secret, client_request_token=token, step=step))  # type: ignore[arg-type]


async def deployments(settings: Settings) -> set[str]:
    services = settings.ecs_services.split(",")
    async with open_ecs(REGION, connections=1) as ecs:
        told = await ecs.describe_services(cluster=settings.ecs_cluster, services=services)
    return {service["deployments"][0]["id"] for service in told["services"]}


async def login(postgres: EmbeddedPostgres, password: str) -> None:
    connection = await asyncpg.connect(
        postgres.url("carillon_scheduler", "postgres"), password=password, timeout=5
    )
    await connection.close()


STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


async def test_after_a_rotation_the_new_password_counts_and_the_old_one_does_not(
    rotation: tuple[Settings, str], postgres: EmbeddedPostgres
) -> None:
    settings, secret = rotation
    await do(settings, secret, str(uuid4()), *STEPS)
    first = (await current(secret))["password"]
    await login(postgres, first)

    await do(settings, secret, str(uuid4()), *STEPS)

    await login(postgres, (await current(secret))["password"])
    with pytest.raises(asyncpg.InvalidPasswordError):
        await login(postgres, first)


async def test_before_the_migrations_and_the_services_it_makes_the_role(
    rotation: tuple[Settings, str], postgres: EmbeddedPostgres
) -> None:
    settings, _ = rotation
    where = {"host": "127.0.0.1", "port": postgres.port, "dbname": "postgres", "username": "carillon_new"}
    async with open_secrets_manager(REGION, connections=1) as client:
        role = await client.create_secret(Name=f"role-{uuid4()}", SecretString=json.dumps(where))
    settings = msgspec.structs.replace(settings, ecs_services="carillon-test-not-made-yet")

    await do(settings, role["ARN"], str(uuid4()), *STEPS)

    password = (await current(role["ARN"]))["password"]
    connection = await asyncpg.connect(postgres.url("carillon_new", "postgres"), password=password, timeout=5)
    await connection.close()


async def test_every_step_may_be_repeated(rotation: tuple[Settings, str], postgres: EmbeddedPostgres) -> None:
    settings, secret = rotation

    await do(settings, secret, str(uuid4()), *(step for step in STEPS for _ in range(2)))

    await login(postgres, (await current(secret))["password"])


async def test_until_it_is_finished_the_old_secret_is_the_current_one(
    rotation: tuple[Settings, str],
) -> None:
    settings, secret = rotation
    before = await current(secret)

    await do(settings, secret, str(uuid4()), *STEPS[:3])

    assert await current(secret) == before


async def test_a_password_that_was_not_set_fails_the_test(rotation: tuple[Settings, str]) -> None:
    settings, secret = rotation
    token = str(uuid4())
    await do(settings, secret, token, "createSecret")

    with pytest.raises(asyncpg.InvalidPasswordError):
        await do(settings, secret, token, "testSecret")


async def test_the_services_are_started_anew_at_the_end(
    rotation: tuple[Settings, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, secret = rotation
    token = str(uuid4())
    await do(settings, secret, token, *STEPS[:3])
    for name in ("aws_region", "owner_secret_arn", "ecs_cluster", "ecs_services"):
        monkeypatch.setenv(name.upper(), getattr(settings, name))
    event = {"SecretId": secret, "ClientRequestToken": token, "Step": "finishSecret"}

    before = await deployments(settings)

    await asyncio.to_thread(rotate_password.handler, event, None)

    assert await deployments(settings) & before == set()


async def test_a_cluster_that_is_not_there_fails_the_rotation(rotation: tuple[Settings, str]) -> None:
    settings, secret = rotation
    token = str(uuid4())
    await do(settings, secret, token, *STEPS[:3])
    other = msgspec.structs.replace(settings, ecs_cluster="nowhere")

    with pytest.raises(Exception, match="ClusterNotFound"):
        await do(other, secret, token, "finishSecret")
