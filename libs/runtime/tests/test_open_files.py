"""What a service may open, seen in a process of its own: the limit is a whole process's."""

import resource
from collections.abc import Callable

import pytest

SERVE = """
import resource

resource.setrlimit(resource.RLIMIT_NOFILE, {given})

async def serve(settings, stop):
    print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("given", "taken"),
    [((256, 2048), (2048, 2048)), ((256, 20_000), (10_240, 20_000)), ((12_000, 20_000), (12_000, 20_000))],
)
def test_a_service_takes_more_files_than_a_shell_gives_and_no_more_than_it_may(
    said_by_service: Callable[[str], str], given: tuple[int, int], taken: tuple[int, int]
) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < max(given):
        pytest.skip(f"fewer than {max(given)} files may be open here at all")

    said = said_by_service(SERVE.format(given=given))

    assert tuple(map(int, said.split())) == taken
