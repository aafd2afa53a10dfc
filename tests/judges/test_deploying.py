"""The pipeline's scripts, by shellcheck; and the smoke test, on APIs that are well and unwell."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from carillon_local.make_token import make_token
from testkit.api_process import ApiProcess
from testkit.fresh_database import FreshDatabase
from testkit.repository import find_topology

from tests.judges.commands import ROOT, run

pytestmark = pytest.mark.judge

JWT = {
    "JWT_SECRET": "a secret of the judges that is long enough",
    "JWT_ISSUER": "https://issuer.example",
    "JWT_AUDIENCE": "carillon",
}


def start(database: FreshDatabase, tmp_path: Path, **overrides: str) -> Iterator[ApiProcess]:
    url = database.url("carillon_user_api")
    api = ApiProcess(url, find_topology(ROOT), tmp_path / "api.log", **overrides)
    try:
        api.start()
        yield api
    finally:
        api.kill()


@pytest.fixture
def api(database: FreshDatabase, tmp_path: Path) -> Iterator[ApiProcess]:
    yield from start(database, tmp_path, AUTH="jwt", **JWT)


@pytest.fixture
def open_api(database: FreshDatabase, tmp_path: Path) -> Iterator[ApiProcess]:
    yield from start(database, tmp_path)


def test_shellcheck_finds_nothing() -> None:
    scripts = ["infra/deploy/release", "infra/deploy/migrate", "infra/deploy/smoke", "infra/images/install"]

    done = run("shellcheck", *scripts, "tests/judges/run", ".ci/run")

    assert (done.returncode, done.stdout) == (0, "")


def test_the_smoke_test_makes_a_user_where_it_has_a_token(api: ApiProcess) -> None:
    token = make_token({**JWT, "ROLE": "admin"}, now=int(time.time()))

    done = run("infra/deploy/smoke", api.url, TOKEN=token)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"smoke: {api.url} works\n", "")


def test_an_api_that_lets_everybody_in_is_bad(open_api: ApiProcess) -> None:
    done = run("infra/deploy/smoke", open_api.url, TOKEN="")

    assert done.returncode == 1
    assert done.stderr.startswith("smoke: GET /user: 200, not 401")


def test_an_api_that_is_not_there_is_bad() -> None:
    done = run("infra/deploy/smoke", "http://127.0.0.1:1", TOKEN="")

    assert done.returncode == 1
    assert "no answer, not 200" in done.stderr
