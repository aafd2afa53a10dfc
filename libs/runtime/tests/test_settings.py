import pytest
from msgspec import structs
from runtime.settings import SettingsError, WorkerSettings, load_settings

GOOD = {
    "CARILLON_ENV": "local",
    "DATABASE_URL": "postgres://carillon_scheduler:hidden@127.0.0.1:5432/carillon",
    "TOPOLOGY_FILE": "contracts/topology.yaml",
    "AWS_REGION": "eu-west-1",
    "AWS_ACCOUNT_ID": "000000000000",
    "HEALTH_PORT": "8101",
}
NOT_A_DATABASE = "DATABASE_URL is not valid: Expected a URL such as postgres://role@host:5432/database"


def refusal(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings(WorkerSettings, environment)
    return str(refused.value)


def test_what_is_not_set_has_its_default() -> None:
    settings = load_settings(WorkerSettings, GOOD)

    assert structs.asdict(settings) == {
        "carillon_env": "local",
        "database_url": "postgres://carillon_scheduler:hidden@127.0.0.1:5432/carillon",
        "topology_file": "contracts/topology.yaml",
        "database_pool_size": 8,
        "database_statement_cache": 200,
        "log_format": "json",
        "log_level": "info",
        "start_timeout_seconds": 60,
        "drain_timeout_seconds": 25,
        "clock_offset_seconds": 0,
        "aws_region": "eu-west-1",
        "aws_account_id": "000000000000",
        "health_port": 8101,
        "health_host": "127.0.0.1",
    }


@pytest.mark.parametrize("blank", ["", " ", "\n"])
@pytest.mark.parametrize("variable", sorted(GOOD))
def test_a_missing_or_blank_variable_is_named(variable: str, blank: str) -> None:
    absent = {name: value for name, value in GOOD.items() if name != variable}

    assert refusal(absent) == f"{variable} is not set"
    assert refusal({**GOOD, variable: blank}) == f"{variable} is not set"


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("LOG_FORMAT", "hidden", "LOG_FORMAT is not valid: Expected one of json, console"),
        ("LOG_LEVEL", "hidden", "LOG_LEVEL is not valid: Expected one of debug, info, warning, error"),
        ("HEALTH_PORT", "0", "HEALTH_PORT is not valid: Expected `int` >= 1"),
        ("HEALTH_PORT", "65536", "HEALTH_PORT is not valid: Expected `int` <= 65535"),
        ("HEALTH_PORT", "hidden", "HEALTH_PORT is not valid: Expected `int`, got `str`"),
        ("DATABASE_POOL_SIZE", "0", "DATABASE_POOL_SIZE is not valid: Expected `int` >= 1"),
        ("DRAIN_TIMEOUT_SECONDS", "-1", "DRAIN_TIMEOUT_SECONDS is not valid: Expected `float` >= 0.0"),
        ("DRAIN_TIMEOUT_SECONDS", "nan", "DRAIN_TIMEOUT_SECONDS is not valid: Expected `float` >= 0.0"),
        ("START_TIMEOUT_SECONDS", "inf", "START_TIMEOUT_SECONDS is not valid: Expected `float` <= 604800.0"),
        (
            "CLOCK_OFFSET_SECONDS",
            "nan",
            "CLOCK_OFFSET_SECONDS is not valid: Expected `float` >= -10000000000.0",
        ),
        (
            "AWS_ACCOUNT_ID",
            "hidden",
            "AWS_ACCOUNT_ID is not valid: Expected `str` matching regex '^[0-9]{12}$'",
        ),
        (
            "CARILLON_ENV",
            "Hidden",
            "CARILLON_ENV is not valid: Expected `str` matching regex '^[a-z][a-z0-9-]{0,19}$'",
        ),
        ("DATABASE_URL", "mysql://hidden@127.0.0.1/carillon", NOT_A_DATABASE),
        ("DATABASE_URL", "postgres://u:hidden@127.0.0.1:port/carillon", NOT_A_DATABASE),
        ("DATABASE_URL", "postgres://u:hidden@[::1/carillon", NOT_A_DATABASE),
        ("DATABASE_URL", "127.0.0.1", NOT_A_DATABASE),
    ],
)
def test_a_bad_variable_is_one_line_that_names_it_and_keeps_its_value_to_itself(
    variable: str, value: str, line: str
) -> None:
    refused = refusal({**GOOD, variable: value})

    assert refused == line
    assert "hidden" not in refused.lower()


@pytest.mark.parametrize(
    "url",
    [
        "postgres://localhost",
        "postgresql://role:p%40ss@db.example:5432/carillon?sslmode=require",
        "postgres://role@[::1]:5432/carillon",
        "postgres://role@one:5432,two:5433/carillon",
        "postgres:///carillon?host=/run/postgresql",
    ],
)
def test_every_form_of_a_database_url_is_taken(url: str) -> None:
    assert load_settings(WorkerSettings, {**GOOD, "DATABASE_URL": url}).database_url == url


def test_the_line_break_at_the_end_of_a_mounted_secret_is_not_part_of_it() -> None:
    settings = load_settings(WorkerSettings, {**GOOD, "CARILLON_ENV": "local\n", "HEALTH_PORT": " 8101\n"})

    assert (settings.carillon_env, settings.health_port) == ("local", 8101)


def test_only_a_local_system_may_be_off_the_true_time() -> None:
    shifted = {**GOOD, "CLOCK_OFFSET_SECONDS": "3600"}

    assert load_settings(WorkerSettings, shifted).clock_offset_seconds == 3600
    assert refusal({**shifted, "CARILLON_ENV": "production"}) == (
        "CLOCK_OFFSET_SECONDS may be set only with CARILLON_ENV=local"
    )
