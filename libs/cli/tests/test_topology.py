"""`carillon topology` and `carillon events tail`, as processes of their own, at a real endpoint."""

import re
import secrets
import signal
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from pathlib import Path
from shutil import copy

import pytest
from carillon_cli.cannot import CannotError
from carillon_cli.main import app
from runtime.aws import open_sns, open_sqs
from testkit.engine import REGION, Engine
from testkit.repository import find_topology
from typer.testing import CliRunner

Carillon = Callable[..., Awaitable[Process]]

TOPOLOGY = """
version: 1
defaults: {visibilitySeconds: 30, retentionSeconds: 86400, maxReceives: 2, batch: 10, concurrency: 10}
deadLetter: {retentionSeconds: 86400}
eventTypes:
  BirthdayDue: {topic: birthday-due, priority: critical, schemaVersion: 1}
  UserDeleted: {topic: user-deleted, priority: normal, schemaVersion: 1, published: false}
queues:
  pager: {subscriptions: [{topics: [birthday-due], filterPolicy: {priority: [critical]}}]}
"""
AUDIT = "  audit: {subscriptions: [{topics: [birthday-due, user-deleted]}]}\n"
NOTHING = "Nothing differs: what is declared exists."


@pytest.fixture
def file(tmp_path: Path, pytestconfig: pytest.Config) -> Path:
    """Write a small topology."""
    copy(find_topology(pytestconfig.rootpath).with_name("topology.schema.json"), tmp_path)
    file = tmp_path / "topology.yaml"
    file.write_text(TOPOLOGY)
    return file


@pytest.fixture
def environment(engine: Engine, file: Path) -> dict[str, str]:
    """Give an environment of this test's own at the engine."""
    name = f"t{secrets.token_hex(4)}"
    return {**engine.environment(), "CARILLON_ENV": name, "TOPOLOGY_FILE": str(file)}


async def said(process: Process) -> tuple[int | None, str, str]:
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


def test_show_tells_what_is_declared(environment: dict[str, str]) -> None:
    shown = CliRunner(env=environment).invoke(app, ["topology", "show"])

    rows = [re.split(r" {2,}", line.strip()) for line in shown.output.splitlines()]
    assert shown.exit_code == 0
    assert ["BirthdayDue", "birthday-due", "critical", "1", "yes", "pager"] in rows
    assert ["UserDeleted", "user-deleted", "normal", "1", "no"] in rows
    policy = "MessageAttributes: {'priority': ['critical']}"
    assert ["pager", "30 s", "1 d", "2", "birthday-due", policy] in rows


def test_apply_brings_about_what_diff_tells_and_deletes_nothing_unless_asked(
    environment: dict[str, str], file: Path
) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner(env=environment).invoke(app, ["topology", *arguments])
        return done.exit_code, done.output.splitlines()[-1]

    assert run("diff") == (1, "6 to change, 0 undeclared")
    assert run("apply") == (0, "6 changed, 0 undeclared")
    file.write_text(TOPOLOGY + AUDIT)
    assert run("apply") == (0, "5 changed, 0 undeclared")
    assert run("apply") == (0, NOTHING)
    file.write_text(TOPOLOGY)
    assert run("apply") == (0, "0 changed, 5 undeclared")
    assert run("apply", "--prune") == (0, "5 changed, 0 undeclared")
    assert run("diff") == (0, NOTHING)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_tail_prints_each_event_a_line_and_leaves_nothing(
    carillon: Carillon, environment: dict[str, str], number: signal.Signals
) -> None:
    name = environment["CARILLON_ENV"]
    async with open_sns(REGION, connections=2) as sns, open_sqs(REGION, connections=2) as sqs:
        topic = (await sns.create_topic(Name=f"carillon-{name}-birthday-due"))["TopicArn"]
        process = await carillon("events", "tail", "BirthdayDue", **environment)
        assert process.stdout is not None
        assert process.stderr is not None
        following = await process.stderr.readline()
        await sns.publish(TopicArn=topic, Message='{"type":"carillon.BirthdayDue.v1"}')
        line = await process.stdout.readline()
        process.send_signal(number)

        ended = await said(process)
        queues = await sqs.list_queues(QueueNamePrefix=f"carillon-{name}-")
        heard = await sns.list_subscriptions_by_topic(TopicArn=topic)

    assert following.decode() == f"following carillon-{name}-birthday-due; Ctrl-C ends it\n"
    assert line == b'{"type":"carillon.BirthdayDue.v1"}\n'
    assert (ended, queues.get("QueueUrls", []), heard["Subscriptions"]) == ((0, "", ""), [], [])


@pytest.mark.parametrize(
    ("event_type", "line"),
    [
        ("NamedayDue", "no event type is called NamedayDue; there are BirthdayDue, UserDeleted"),
        (
            "BirthdayDue",
            "there is no topic carillon-{}-birthday-due: `carillon topology apply` makes it",
        ),
    ],
)
def test_what_cannot_be_followed_is_named(environment: dict[str, str], event_type: str, line: str) -> None:
    done = CliRunner(env=environment).invoke(app, ["events", "tail", event_type])

    assert isinstance(done.exception, CannotError)
    assert str(done.exception) == line.format(environment["CARILLON_ENV"])


def test_a_topology_that_is_not_valid_is_named(environment: dict[str, str], file: Path) -> None:
    file.write_text(TOPOLOGY.replace("critical", "urgent", 1))

    done = CliRunner(env=environment).invoke(app, ["topology", "diff"])

    assert isinstance(done.exception, CannotError)
    assert str(done.exception).startswith(f"TOPOLOGY_FILE {file}: eventTypes.BirthdayDue.priority: ")
