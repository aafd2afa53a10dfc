"""The official parser finds nothing wrong with asyncapi.yaml, and Chromium shows the page of it, offline."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from testkit.asyncapi import asyncapi_document
from testkit.asyncapi_page import asyncapi_page

pytestmark = [pytest.mark.judge, pytest.mark.timeout(180)]

HERE = Path(__file__).parent
CONTRACTS = HERE.parents[1] / "contracts"
IS_NOT_THE_NEWEST = "asyncapi-latest-version"


async def output(*command: str) -> tuple[str, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return out.decode(), errors.decode()


async def parse(file: Path) -> tuple[list[str], list[str]]:
    """Return what the parser finds wrong, and the messages it found."""
    node = shutil.which("node")
    assert node, "Node is not installed; tests/judges/run installs it"
    out, _ = await output(node, str(HERE / "parse_asyncapi.js"), str(file))
    found = json.loads(out)
    wrong = [f"{one['path']}: {one['message']}" for one in found["wrong"] if one["code"] != IS_NOT_THE_NEWEST]
    return wrong, found["messages"]


async def test_the_official_parser_finds_nothing_wrong_with_it_and_every_event_in_it() -> None:
    wrong, messages = await parse(CONTRACTS / "asyncapi.yaml")

    expected = {
        message["name"] for message in asyncapi_document(CONTRACTS)["components"]["messages"].values()
    }
    assert (wrong, set(messages)) == ([], expected)


async def test_the_parser_is_one_that_finds_faults(tmp_path: Path) -> None:
    text = (CONTRACTS / "asyncapi.yaml").read_text()
    broken = tmp_path / "asyncapi.yaml"
    broken.write_text(
        text.replace("action: send", "action: shout", 1).replace("/messages/UserCreated", "/messages/No", 1)
    )

    wrong, _ = await parse(broken)

    assert wrong


async def test_chromium_shows_every_event_and_queue_without_a_network(tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is not installed; tests/judges/run installs it"
    document = asyncapi_document(CONTRACTS)
    page = tmp_path / "asyncapi.html"
    page.write_text(asyncapi_page(document), encoding="utf-8")

    dom, log = await output(
        *(chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'browser'}"),
        # No name leads anywhere: the page has all it needs.
        *("--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--virtual-time-budget=60000"),
        *("--dump-dom", page.as_uri()),
    )

    assert "CONSOLE" not in log, log
    shown = dom[dom.index('id="asyncapi"') : dom.index("<script")]
    for message in document["components"]["messages"].values():
        assert message["name"] in shown
    assert "carillon-{env}-webhook-critical" in shown
    assert "A user's birthday fell due." in shown
