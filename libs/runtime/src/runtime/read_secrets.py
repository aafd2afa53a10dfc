"""Secrets where nobody hands them over: NAME_FROM names the secret or parameter that holds NAME."""

import asyncio
from collections.abc import Mapping

import msgspec
from types_aiobotocore_secretsmanager import SecretsManagerClient
from types_aiobotocore_ssm import SSMClient

from runtime.aws import open_secrets_manager, open_ssm
from runtime.settings import SettingsError

SUFFIX = "_FROM"
SECRET, PARAMETER = "secretsmanager", "ssm"
# arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME; behind it, as ECS has it, :KEY:STAGE:VERSION.
SERVICE_PART, ARN_PARTS = 2, 7


async def with_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` with NAME for each NAME_FROM: the ARN of a secret, a key of it, or a parameter.

    Raises SettingsError, which names the variable, and what AWS raises.
    """
    named = {
        name.removesuffix(SUFFIX): source
        for name, source in environment.items()
        if name.endswith(SUFFIX) and service_of(source) in {SECRET, PARAMETER}
    }
    if not named:
        return dict(environment)
    region = environment["AWS_REGION"]
    async with (
        open_secrets_manager(region, connections=len(named)) as secrets,
        open_ssm(region, connections=len(named)) as parameters,
    ):
        values = await asyncio.gather(
            *(
                read_secret(secrets, name, source)
                if service_of(source) == SECRET
                else read_parameter(parameters, source)
                for name, source in named.items()
            )
        )
    return {**environment, **dict(zip(named, values, strict=True))}


def service_of(arn: str) -> str:
    """Return which service an ARN is of; empty for what is none."""
    parts = arn.split(":")
    return parts[SERVICE_PART] if parts[0] == "arn" and len(parts) > SERVICE_PART else ""


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


async def read_parameter(client: SSMClient, source: str) -> str:
    """Read a parameter, decrypted."""
    name = source.partition(":parameter")[2]
    answer = await client.get_parameter(Name=name, WithDecryption=True)
    return answer["Parameter"]["Value"]
