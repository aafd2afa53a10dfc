"""Chromium shows the console of a running system: a delivery, and the waterfall of its trace."""

import asyncio
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from carillon_local.local_folder import POSTGRES
from carillon_local.options import read_options
from carillon_local.system import LocalSystem
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from testkit.otlp_spans import PROTOBUF
from testkit.postgres_files import remove_folder
from testkit.wait import eventually

from tests.running_system import Carillon, soon

pytestmark = [pytest.mark.judge, pytest.mark.timeout(180)]

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def local_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "local"
    remove_folder(tmp_path / "local" / POSTGRES)


async def shown(url: str, folder: Path) -> str:
    """Return the page as Chromium has it after some seconds; it must complain of nothing."""
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is not installed; tests/judges/run installs it"
    process = await asyncio.create_subprocess_exec(
        *(chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'browser'}"),
        *("--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom", url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    dom, log = await process.communicate()
    assert b"CONSOLE" not in log, log.decode()
    return dom.decode()


def hostile_export() -> bytes:
    body = ExportTraceServiceRequest()
    resource = body.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = HOSTILE
    span = resource.scope_spans.add().spans.add(name=HOSTILE, trace_id=b"1" * 16, span_id=b"1" * 8)
    span.attributes.add(key=HOSTILE).value.string_value = HOSTILE
    return bytes(body.SerializeToString())


async def test_a_browser_shows_a_delivery_its_waterfall_and_hostile_names_as_text(
    local_dir: Path, tmp_path: Path
) -> None:
    options = read_options({"LOCAL_DIR": str(local_dir)}, console_port=0)
    async with (
        LocalSystem(options, durable=False) as system,
        Carillon.to(system) as carillon,
        httpx.AsyncClient(base_url=system.console_url, trust_env=False) as console,
    ):
        user_id = await carillon.create_user_due_at(soon(2))

        async def spans() -> set[str]:
            [delivery] = (await console.get("/deliveries")).json()["items"] or [{}]
            trace = (await console.get(f"/traces/{delivery.get('traceId')}")).json()
            return {span["name"] for span in trace}

        async def is_whole() -> bool:
            return {"create birthday-due", "attempt", "POST", "process scheduler-outcomes"} <= await spans()

        await eventually(is_whole, within=30, message="the trace did not become whole")
        [delivery] = (await console.get("/deliveries")).json()["items"]
        page = await shown(f"{system.console_url}/#trace={delivery['traceId']}", tmp_path)
        await console.post("/v1/traces", content=hostile_export(), headers={"Content-Type": PROTOBUF})
        hostile = await shown(f"{system.console_url}/#trace={(b'1' * 16).hex()}", tmp_path)

    deliveries = page[page.index('id="deliveries"') : page.index('id="traces"')]
    assert f"user {user_id[-8:]}" in deliveries
    assert 'class="status delivered"' in deliveries
    waterfall = page[page.index('class="spans"') :]
    names = re.findall(r'<span class="name"[^>]*><i></i>([^<]+)', waterfall)
    assert names[0] == "create birthday-due"
    assert {"attempt", "POST", "process scheduler-outcomes"} <= set(names)
    assert re.search(r'<i style="left: [^"]+; width: [0-9.]+%;', waterfall)
    assert "&lt;img src=x" in hostile[hostile.index('class="spans"') :]
    assert "<img src=" not in hostile[hostile.index("<main") :]
