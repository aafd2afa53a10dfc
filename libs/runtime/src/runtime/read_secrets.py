"""Secrets where nobody hands them over: NAME_FROM names what NAME is to be read from in Secrets Manager."""

import asyncio
from collections.abc import Mapping

import msgspec
from types_aiobotocore_secretsmanager import SecretsManagerClient

from runtime.aws import open_secrets_manager
from runtime.settings import SettingsError

SUFFIX = "_FROM"
# arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME; behind it, as ECS has it, :KEY:STAGE:VERSION.
ARN_PARTS = 7


async def with_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` with NAME for each NAME_FROM that names a secret, or one key of it (ARN:key::).

    Raises SettingsError, which names the variable, and what AWS raises.
    """
    named = {
        name.removesuffix(SUFFIX): source
        for name, source in environment.items()
        if name.endswith(SUFFIX) and ":secretsmanager:" in source
    }
    if not named:
        return dict(environment)
    region = environment["AWS_REGION"]
    async with open_secrets_manager(region, connections=len(named)) as client:
        values = await asyncio.gather(*(read_secret(client, *one) for one in named.items()))
    return {**environment, **dict(zip(named, values, strict=True))}


async def read_secret(client: SecretsManagerClient, name: str, source: str) -> str:
    """Read the value for `name`: the whole secret, or one key of the JSON object that it is."""
    parts = source.split(":")
    answer = await client.get_secret_value(SecretId=":".join(parts[:ARN_PARTS]))
    secret = answer["SecretString"]
    key = parts[ARN_PARTS] if len(parts) > ARN_PARTS else ""
    if not key:
        return secret
    try:
        return str(msgspec.json.decode(secret, type=dict[str, object])[key])
    except (msgspec.DecodeError, KeyError):
        raise SettingsError(f"{name}{SUFFIX} names a secret that has no key {key}") from None
