"""What pytest loads by its entry point: the fixtures, in any test folder of a project that has testkit."""

import pytest

FIXTURES = "testkit.fixtures"


def pytest_configure(config: pytest.Config) -> None:
    """Register the fixtures; only now, when coverage already counts what they import."""
    config.pluginmanager.import_plugin(FIXTURES)
