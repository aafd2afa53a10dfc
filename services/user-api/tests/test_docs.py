"""/docs: a page that has all it needs with it."""

import asyncio
import re
import shutil
from pathlib import Path

import httpx
import pytest
from user_api.openapi import OPERATIONS

REFERENCE = re.compile(r'(?:src|href)="([^"]+)"')


async def test_the_page_and_its_parts_come_from_here_and_are_kept_for_long(api: httpx.AsyncClient) -> None:
    page = await api.get("/docs")
    parts = [reference for reference in REFERENCE.findall(page.text) if reference != "data:,"]

    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert "://" not in page.text
    assert [part.rpartition("/")[2] for part in parts] == [
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "start.js",
    ]
    for part in parts:
        packed = await api.get(f"/{part}", headers={"Accept-Encoding": "gzip"})
        plain = await api.get(f"/{part}", headers={"Accept-Encoding": "identity"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert packed.text == plain.text
        assert len(plain.text) > 200
        assert "immutable" in packed.headers["Cache-Control"]
        assert (
            packed.headers["Content-Type"]
            == f"text/{'css' if part.endswith('css') else 'javascript'}; charset=utf-8"
        )
    assert (await api.get(f"/{parts[0]}x")).status_code == 404
    assert (await api.get(f"/docs/0/{parts[0].rpartition('/')[2]}")).status_code == 404


@pytest.mark.judge
async def test_a_browser_shows_every_operation_and_complains_of_nothing(
    api: httpx.AsyncClient, tmp_path: Path
) -> None:
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is not installed; tests/judges/run installs it"

    async def shown(place: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                f"--user-data-dir={tmp_path / 'browser'}",
            ),
            *(
                "--enable-logging=stderr",
                "--virtual-time-budget=20000",
                "--dump-dom",
                f"{api.base_url}{place}",
            ),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        dom, log = await process.communicate()
        # What the page may not load, by its policy, and whatever else is wrong, is told on the console.
        assert b"CONSOLE" not in log, log.decode()
        return dom.decode()

    overview, create_user = await shown("/docs"), await shown("/docs#/users/createUser")

    for operation in OPERATIONS:
        assert f'id="operations-{operation.tag.replace(" ", "_")}-{operation.id}"' in overview
    assert "The e-mail address is taken" in create_user
