"""The images without a Docker engine: hadolint, docker-compose, and what is installed in each."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dispatcher.settings import Settings as DispatcherSettings
from runtime.encrypt import new_key
from runtime.settings import ServiceSettings, load_settings
from scheduler.settings import Settings as SchedulerSettings
from testkit.receiver import new_secret
from user_api.settings import Settings as UserApiSettings
from webhook_worker.settings import Settings as WebhookWorkerSettings

from tests.judges.commands import INSTALLED, ROOT, run

pytestmark = pytest.mark.judge

SERVICES: dict[str, type[ServiceSettings]] = {
    "user-api": UserApiSettings,
    "scheduler": SchedulerSettings,
    "dispatcher": DispatcherSettings,
    "webhook-worker": WebhookWorkerSettings,
}
WITH_UV = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
OURS = [*SERVICES, "migrate", "topology", "pgbouncer", "receiver"]


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    """What docker-compose makes of the file, by service."""
    done = run("docker-compose", "config", ENCRYPTION_KEYS=new_key("test"), WEBHOOK_SECRET=new_secret())
    assert done.returncode == 0, done.stderr
    services: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    return services


def test_hadolint_has_nothing_to_say() -> None:
    done = run(INSTALLED / "hadolint", "Dockerfile", "infra/images/pgbouncer/Dockerfile")

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_its_service_and_nobody_elses(service: str, tmp_path: Path) -> None:
    folder = tmp_path / "app"

    done = run("infra/images/install", service, folder, PATH=WITH_UV)

    assert done.returncode == 0, done.stderr
    installed = {path.name for path in next(folder.glob("lib/python*/site-packages")).iterdir()}
    others = {name.replace("-", "_") for name in SERVICES if name != service}
    assert installed & {*others, "testkit", "pytest", "carillon_local"} == set()
    started = run(
        folder / "bin" / "carillon-service", PATH=f"{folder / 'bin'}:/usr/bin:/bin", CARILLON_ENV=""
    )
    assert (started.returncode, started.stderr) == (2, f"{service}: CARILLON_ENV is not set\n")


def test_an_image_takes_nothing_whose_hash_is_another(tmp_path: Path) -> None:
    for name in ("libs", "services", "infra"):
        (tmp_path / name).symlink_to(ROOT / name)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    spoiled = re.sub(r"sha256:\w{8}", "sha256:00000000", lock)
    (tmp_path / "requirements.lock").write_text(spoiled, encoding="utf-8")

    done = run("infra/images/install", "dispatcher", tmp_path / "app", folder=tmp_path, PATH=WITH_UV)

    assert done.returncode != 0
    assert "Hash mismatch" in done.stderr


@pytest.mark.parametrize(("service", "settings"), SERVICES.items())
def test_a_service_is_given_all_that_it_reads(
    composed: dict[str, Any], service: str, settings: type[ServiceSettings]
) -> None:
    given = {name: str(value) for name, value in composed[service]["environment"].items()}

    load_settings(settings, {"TOPOLOGY_FILE": "contracts/topology.yaml", **given})


def test_what_is_ours_writes_nothing_and_may_do_nothing_special(composed: dict[str, Any]) -> None:
    for name in OURS:
        assert composed[name]["read_only"] is True, name
        assert composed[name]["cap_drop"] == ["ALL"], name
        assert composed[name]["security_opt"] == ["no-new-privileges:true"], name


def test_every_image_of_others_has_a_version(composed: dict[str, Any]) -> None:
    for name, service in composed.items():
        if "image" in service:
            assert re.search(r":\d+\.\d+", service["image"]), name


def test_nothing_is_reached_from_beyond_this_machine(composed: dict[str, Any]) -> None:
    published = [port for service in composed.values() for port in service.get("ports", ())]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_schedulers_and_workers_come_in_twos(composed: dict[str, Any]) -> None:
    replicas = {name: one["deploy"]["replicas"] for name, one in composed.items() if "deploy" in one}

    assert replicas == {"scheduler": 2, "webhook-worker": 2}


def test_services_wait_for_the_schema_and_the_queues(composed: dict[str, Any]) -> None:
    for name in SERVICES:
        waits = {other: one["condition"] for other, one in composed[name]["depends_on"].items()}
        assert waits == {
            "migrate": "service_completed_successfully",
            "topology": "service_completed_successfully",
            "pgbouncer": "service_healthy",
        }, name


def test_without_its_secrets_it_says_how_to_make_them() -> None:
    done = run("docker-compose", "config", ENCRYPTION_KEYS="", WEBHOOK_SECRET="")

    assert done.returncode != 0
    assert "make compose" in done.stderr
