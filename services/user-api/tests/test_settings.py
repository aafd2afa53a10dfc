from collections.abc import Callable

import pytest
from runtime.settings import SettingsError, load_settings
from user_api.auth.guard import open_guard
from user_api.settings import Settings

Environment = Callable[..., dict[str, str]]

KEY = f"{'x' * 43}="
SECRET = {"JWT_SECRET": "x" * 32}
JWKS = {"JWKS_URL": "https://issuer.example/jwks.json"}
NAMED = {"AUTH": "jwt", "JWT_ISSUER": "https://issuer.example", "JWT_AUDIENCE": "carillon"}


def settings(environment: Environment, **variables: str) -> Settings:
    return load_settings(Settings, environment("postgresql://nobody@127.0.0.1:1/none", **variables))


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"AUTH": "off", "CARILLON_ENV": "dev"}, "AUTH"),
        ({**NAMED, **SECRET, "JWT_ISSUER": ""}, "JWT_ISSUER"),
        ({**NAMED, **JWKS, "JWT_AUDIENCE": " "}, "JWT_AUDIENCE"),
        (NAMED, "JWT_SECRET and JWKS_URL"),
        ({**NAMED, **SECRET, **JWKS}, "JWT_SECRET and JWKS_URL"),
        ({**NAMED, "JWT_SECRET": "x" * 31}, "JWT_SECRET"),
        *(
            ({**NAMED, "JWKS_URL": url}, "JWKS_URL")
            for url in (
                "ftp://a/b",
                "file:///etc/jwks",
                "a.example",
                "https://",
                "http://[::1",
                "http://a:0/",
            )
        ),
        ({**NAMED, **JWKS, "JWKS_REFRESH_SECONDS": "1"}, "JWKS_REFRESH_SECONDS"),
        ({"ENCRYPTION_KEYS": ""}, "ENCRYPTION_KEYS"),
        ({"ENCRYPTION_KEYS": "xxx"}, "ENCRYPTION_KEYS"),
        ({"ENCRYPTION_KEYS": f"1:{KEY},1:{KEY}"}, "ENCRYPTION_KEYS"),
        *(
            ({"CORS_ORIGINS": origins}, "CORS_ORIGINS")
            for origins in ("https://a.example/", "a.example", "https://A.example", "*, https://a", "null")
        ),
    ],
    ids=str,
)
def test_a_bad_setting_is_one_line_that_names_the_variable_and_tells_no_secret(
    environment: Environment, variables: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingsError, match=named) as refused:
        settings(environment, **variables)

    assert len(str(refused.value).splitlines()) == 1
    assert "xxx" not in str(refused.value)


async def test_a_public_key_is_no_secret(environment: Environment) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0s3ZVcV1y0uEJ7QMlZ2Dn0iNd0vCvm5hL1kZ8l0m9K"
    refused = settings(environment, **NAMED, JWT_SECRET=key)

    with pytest.raises(SettingsError, match="JWT_SECRET"):
        async with open_guard(refused, None):  # type: ignore[arg-type] # it does not come to that
            pass


def test_good_settings_are_taken(environment: Environment) -> None:
    origins = "https://a.example, http://localhost:3000,http://[::1]:8080"

    assert settings(environment, **NAMED, **SECRET, CARILLON_ENV="production").auth == "jwt"
    assert settings(environment, **NAMED, **JWKS, CORS_ORIGINS="*").cors_origins == "*"
    assert settings(environment, CORS_ORIGINS=origins).cors_origins == origins
