"""Secrets read from Secrets Manager, as a Lambda function reads them."""

import json

import pytest
from runtime.aws import open_secrets_manager, open_ssm
from runtime.read_secrets import with_secrets
from runtime.settings import SettingsError
from testkit.engine import Engine

pytestmark = pytest.mark.judge


async def secret(aws: Engine, value: str) -> str:
    region = aws.environment()["AWS_REGION"]
    async with open_secrets_manager(region, connections=1) as client:
        made = await client.create_secret(Name=f"carillon/{abs(hash(value))}", SecretString=value)
    return made["ARN"]


async def test_a_whole_secret_and_one_key_of_another_are_read(aws: Engine) -> None:
    whole, other = await secret(aws, "k1:abc"), await secret(aws, json.dumps({"url": "postgresql://x@y/z"}))
    environment = {
        **aws.environment(),
        "ENCRYPTION_KEYS_FROM": whole,
        "DATABASE_URL_FROM": f"{other}:url::",
        "TOLD_FROM": "the sea",
    }

    read = await with_secrets(environment)

    assert read["ENCRYPTION_KEYS"] == "k1:abc"
    assert read["DATABASE_URL"] == "postgresql://x@y/z"
    assert "TOLD" not in read


async def test_a_parameter_is_read_decrypted(aws: Engine) -> None:
    async with open_ssm(aws.environment()["AWS_REGION"], connections=1) as client:
        await client.put_parameter(
            Name="/carillon/dev/webhook-url", Value="https://x.example", Type="SecureString"
        )
    arn = "arn:aws:ssm:eu-west-1:000000000000:parameter/carillon/dev/webhook-url"

    read = await with_secrets({**aws.environment(), "WEBHOOK_URL_FROM": arn})

    assert read["WEBHOOK_URL"] == "https://x.example"


async def test_a_key_that_is_not_there_is_named_and_the_secret_is_not_told(aws: Engine) -> None:
    arn = await secret(aws, json.dumps({"password": "open sesame"}))

    with pytest.raises(SettingsError, match=r"^DATABASE_URL_FROM names a secret that has no key url$"):
        await with_secrets({**aws.environment(), "DATABASE_URL_FROM": f"{arn}:url::"})


async def test_without_secrets_nobody_is_asked() -> None:
    assert await with_secrets({"DATABASE_URL": "postgresql://x@y/z"}) == {
        "DATABASE_URL": "postgresql://x@y/z"
    }
