import subprocess
import sys
from pathlib import Path

import pytest
from carillon_local.auth import auth_variables, how_to_call
from carillon_local.local_folder import JWT_SECRET, write_env
from carillon_local.make_token import make_token
from carillon_local.options import read_options
from carillon_local.surroundings import inherited
from joserfc import jwt
from joserfc.jwk import OctKey
from runtime.settings import SettingsError

NOW = 1_900_000_000
USER = "0198c0de-0000-7000-8000-000000000001"
SET = {"JWT_SECRET": "s" * 32, "JWT_ISSUER": "an issuer", "JWT_AUDIENCE": "an audience"}


def test_a_token_is_signed_with_what_the_running_system_wrote_or_the_environment_says(tmp_path: Path) -> None:
    told = auth_variables(read_options({"AUTH": "jwt", "LOCAL_DIR": str(tmp_path)}))
    write_env(tmp_path, told)
    of_the_system = make_token({"LOCAL_DIR": str(tmp_path), "ROLE": "admin", "MINUTES": "5"}, now=NOW)
    of_the_environment = make_token({**SET, "LOCAL_DIR": str(tmp_path), "USER_ID": USER}, now=NOW)

    assert jwt.decode(of_the_system, OctKey.import_key(told["JWT_SECRET"])).claims == {
        "iss": "carillon-local",
        "aud": "carillon",
        "sub": "make-token-admin",
        "roles": ["admin"],
        "iat": NOW,
        "exp": NOW + 300,
    }
    assert jwt.decode(of_the_environment, OctKey.import_key(SET["JWT_SECRET"])).claims == {
        "iss": "an issuer",
        "aud": "an audience",
        "sub": USER,
        "roles": ["user"],
        "iat": NOW,
        "exp": NOW + 3600,
    }


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"ROLE": "admin"}, "JWT_SECRET is not set, and no `make up AUTH=jwt` runs in"),
        ({**SET, "ROLE": "wizard"}, "ROLE"),
        (SET, "USER_ID is not set"),
        ({**SET, "USER_ID": "ada"}, "USER_ID"),
        ({**SET, "ROLE": "admin", "MINUTES": "0"}, "MINUTES"),
        ({**SET, "ROLE": "admin", "JWT_ISSUER": " "}, "JWT_ISSUER"),
        ({**SET, "ROLE": "admin", "JWT_SECRET": "short"}, "JWT_SECRET"),
    ],
    ids=str,
)
def test_what_is_missing_or_bad_is_one_line(tmp_path: Path, variables: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named) as refused:
        make_token({"LOCAL_DIR": str(tmp_path), **variables}, now=NOW)

    assert len(str(refused.value).splitlines()) == 1


def test_without_a_secret_the_command_ends_with_2_and_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "carillon_local.make_token"],
        env={"LOCAL_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("token: JWT_SECRET is not set")


def test_the_secret_is_kept_private_and_the_one_given_is_used(tmp_path: Path) -> None:
    here = {"AUTH": "jwt", "LOCAL_DIR": str(tmp_path)}
    made = auth_variables(read_options(here))
    given = auth_variables(read_options({**here, **SET}))
    fetched = read_options({**here, "JWKS_URL": "http://127.0.0.1:1/jwks", "JWT_ISSUER": "idp"})

    assert auth_variables(read_options(here)) == made
    assert (tmp_path / JWT_SECRET).stat().st_mode & 0o777 == 0o600
    assert given == {"AUTH": "jwt", **SET}
    assert auth_variables(fetched).keys() == {"AUTH", "JWT_ISSUER", "JWT_AUDIENCE", "JWKS_URL"}
    assert how_to_call(fetched) == "tokens of idp"
    assert auth_variables(read_options({**SET, "LOCAL_DIR": str(tmp_path)})) == {"AUTH": "off"}


def test_the_secret_is_told_to_no_other_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", "s" * 32)

    assert "JWT_SECRET" not in inherited()
