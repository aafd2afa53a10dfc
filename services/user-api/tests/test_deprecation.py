from datetime import UTC, datetime

import httpx
from litestar import Litestar, Response, get
from user_api.deprecation import Deprecation

SINCE = datetime(2023, 6, 30, 23, 59, 59, tzinfo=UTC)  # RFC 9745 §2.1
SUNSET = datetime(2024, 6, 30, 23, 59, 59, tzinfo=UTC)


async def test_an_operation_that_will_go_says_so_in_its_answers_and_in_the_document() -> None:
    @get("/old", **Deprecation(since=SINCE, sunset=SUNSET, link="https://example.com/new").marks)
    async def old() -> Response[bytes]:
        return Response(b"{}", media_type="application/json", headers={"ETag": '"1"'})

    @get("/older", **Deprecation(since=SINCE).marks)
    async def older() -> None: ...

    app = Litestar([old, older], logging_config=None)
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type] # Litestar says more than ASGI does
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as api:
        answer, plain = await api.get("/old"), await api.get("/older")

    operation = app.openapi_schema.to_schema()["paths"]["/old"]["get"]

    assert answer.headers["Deprecation"] == plain.headers["Deprecation"] == "@1688169599"
    assert answer.headers["Sunset"] == "Sun, 30 Jun 2024 23:59:59 GMT"
    assert answer.headers["Link"] == '<https://example.com/new>; rel="deprecation"; type="text/html"'
    assert answer.headers["ETag"] == '"1"'
    assert not {"Sunset", "Link"} & set(plain.headers)
    assert operation["deprecated"] is True
    assert {"Deprecation", "Sunset", "Link"} <= set(operation["responses"]["200"]["headers"])
