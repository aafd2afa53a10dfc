import httpx
import pytest
from testkit import build
from testkit.wait import eventually


async def test_head_answers_as_get_does_without_the_body(
    api: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    location = (await api.post("/user", json=build.user_body())).headers["Location"]
    own = {"X-Request-Id", "Date", "RateLimit"}
    for path, headers in (
        *((location, {}), (location, {"If-None-Match": '"1"'}), ("/nothing", {}), ("/user/1", {})),
        *(("/health/live", {}), ("/health", {}), ("/openapi.json", {})),
    ):
        got = await api.get(path, headers={**headers, "X-Request-Id": "same"})
        asked = await api.head(path, headers={**headers, "X-Request-Id": "same"})

        assert asked.status_code == got.status_code
        assert asked.content == b""
        for header in own:
            got.headers.pop(header, None)
            asked.headers.pop(header, None)
        assert asked.headers == got.headers

    await api.head(location, headers={"X-Request-Id": "logged"})
    said = ""

    def line() -> str | None:
        nonlocal said
        said += capsys.readouterr().out
        return next((text for text in said.splitlines(keepends=True) if "requestId=logged" in text), None)

    logged = await eventually(line)
    assert logged is not None
    assert "httpMethod=HEAD" in logged
    assert "responseLength=0" in logged


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/user", {"POST", "OPTIONS"}),
        ("/user/1", {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}),
        ("/health/ready", {"GET", "HEAD", "OPTIONS"}),
        ("/openapi.json", {"GET", "HEAD", "OPTIONS"}),
    ],
)
async def test_what_a_resource_allows_is_told(api: httpx.AsyncClient, path: str, allowed: set[str]) -> None:
    told = await api.options(path)
    assert (told.status_code, told.content) == (204, b"")
    methods = set(told.headers["Allow"].split(", "))
    assert methods >= allowed

    for method in {"GET", "HEAD", "POST", "PUT", "DELETE", "PROPFIND"} - methods:
        refused = await api.request(method, path)

        assert refused.status_code == 405
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.headers["Allow"] == told.headers["Allow"]
    assert (await api.options("/nothing")).status_code == 404
