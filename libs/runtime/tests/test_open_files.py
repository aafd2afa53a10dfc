"""What a service may open, seen in a process of its own: the limit is a whole process's."""

import resource
import subprocess
import sys

import pytest

SERVICE = """
import resource
from runtime.service import run_service
from runtime.settings import ServiceSettings

async def serve(settings, stop):
    print(*resource.getrlimit(resource.RLIMIT_NOFILE))

run_service("a-service", ServiceSettings, serve)
"""
ENVIRONMENT = {
    "CARILLON_ENV": "test",
    "DATABASE_URL": "postgresql://nowhere",
    "TOPOLOGY_FILE": "none",
    "LOG_LEVEL": "warning",
}


@pytest.mark.parametrize(
    ("given", "taken"),
    [((256, 2048), (2048, 2048)), ((256, 20_000), (10_240, 20_000)), ((12_000, 20_000), (12_000, 20_000))],
)
def test_a_service_takes_more_files_than_a_shell_gives_and_no_more_than_it_may(
    given: tuple[int, int], taken: tuple[int, int]
) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < max(given):
        pytest.skip(f"fewer than {max(given)} files may be open here at all")
    set_limit = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, {given});"

    said = subprocess.run(  # noqa: S603 (our own words)
        [sys.executable, "-c", set_limit + SERVICE],
        env=ENVIRONMENT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout

    assert tuple(map(int, said.split())) == taken
