"""What docs/webhooks.md tells partners to write, run against what is really sent."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from msgspec import structs
from standardwebhooks import Webhook
from testkit.receiver import new_secret
from webhook_worker.delivery import Delivery
from webhook_worker.endpoint import Endpoint, default_endpoint
from webhook_worker.post_webhook import signed_request

SECRET = new_secret()
BODY = '{"type": "birthday.due", "message": "Hey, Zoë it\'s your birthday"}'

Receive = Callable[[Any, bytes], int]


@pytest.fixture
def receive(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Receive:
    """Run the recipe for Python as it stands on the page."""
    page = (pytestconfig.rootpath / "docs" / "webhooks.md").read_text()
    [recipe] = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    monkeypatch.setenv("CARILLON_SECRET", SECRET)
    names: dict[str, Any] = {}
    exec(compile(recipe, "webhooks.md", "exec"), names)  # noqa: S102 (our own page)
    found: Receive = names["receive"]
    return found


@pytest.fixture
def endpoint() -> Endpoint:
    return default_endpoint("https://example.com/", SECRET, timeout=timedelta(seconds=1))


def sent(endpoint: Endpoint, *, event_id: Any = None, at: datetime | None = None) -> tuple[Any, bytes]:  # noqa: ANN401
    """Give the headers and the body of an attempt."""
    id_ = event_id or uuid4()
    delivery = Delivery(
        id=id_,
        created_at=datetime.now(UTC),
        event_id=id_,
        endpoint_id=endpoint.id,
        endpoint_version=0,
        attempt=1,
        lease_token=id_,
        body=BODY,
    )
    request = signed_request(endpoint, delivery, at or datetime.now(UTC))
    return request.headers, request.content


def test_the_recipe_for_python_takes_what_is_signed_and_acts_once(
    receive: Receive, endpoint: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    event_id = uuid4()

    assert [receive(*sent(endpoint, event_id=event_id)) for _ in range(2)] == [204, 204]
    assert capsys.readouterr().out == "Hey, Zoë it's your birthday\n"


def test_the_recipe_for_python_takes_both_signatures_of_a_rotation(
    receive: Receive, endpoint: Endpoint
) -> None:
    rotated = structs.replace(endpoint, signers=(Webhook(new_secret()), *endpoint.signers))

    assert receive(*sent(rotated)) == 204


def test_the_recipe_for_python_refuses_what_is_not_ours_not_as_it_was_or_old(
    receive: Receive, endpoint: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    headers, body = sent(endpoint)
    stranger = structs.replace(endpoint, signers=(Webhook(new_secret()),))

    assert receive(headers, body.replace(b"Zo", b"Jo")) == 401
    assert receive(*sent(stranger)) == 401
    assert receive(*sent(endpoint, at=datetime.now(UTC) - timedelta(minutes=6))) == 401
    assert capsys.readouterr().out == ""
