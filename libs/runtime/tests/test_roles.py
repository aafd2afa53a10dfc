"""What each role may do is a contract: more is a hole, less is a service that does not work."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from runtime.database import Connection
from testkit.fresh_database import FreshDatabase

Connect = Callable[[str], Awaitable[Connection]]

API = "carillon_user_api"
SCHEDULER = "carillon_scheduler"
DISPATCHER = "carillon_dispatcher"
WORKER = "carillon_webhook_worker"
ROLES = [API, SCHEDULER, DISPATCHER, WORKER]
OURS = ["audit", "public", "users", "schedule", "outbox", "delivery", "inbox"]

TABLES = {
    (API, "delivery.api_attempts"): "SELECT",
    (API, "delivery.api_dead_letters"): "SELECT",
    (API, "delivery.api_deliveries"): "SELECT",
    (API, "delivery.api_endpoint_tests"): "SELECT",
    (API, "delivery.api_endpoints"): "SELECT",
    (API, "delivery.api_replays"): "SELECT",
    (API, "inbox.messages"): "DELETE INSERT SELECT",
    (API, "public.schema_migrations"): "SELECT",
    (API, "schedule.api_occurrences"): "SELECT",
    (API, "schedule.api_pauses"): "SELECT",
    (API, "users.occasions"): "DELETE INSERT SELECT UPDATE",
    (API, "users.idempotency_keys"): "DELETE INSERT SELECT UPDATE",
    (API, "users.rate_limits"): "DELETE INSERT SELECT UPDATE",
    (API, "users.replica_heartbeat"): "SELECT UPDATE",
    (API, "users.users"): "DELETE INSERT SELECT UPDATE",
    (SCHEDULER, "audit.entries"): "INSERT",
    (SCHEDULER, "inbox.messages"): "DELETE INSERT SELECT",
    (SCHEDULER, "public.schema_migrations"): "SELECT",
    (SCHEDULER, "schedule.history"): "INSERT SELECT UPDATE",
    (SCHEDULER, "schedule.occasions"): "DELETE INSERT SELECT UPDATE",
    (SCHEDULER, "schedule.occurrences"): "DELETE INSERT SELECT UPDATE",
    (SCHEDULER, "schedule.pauses"): "DELETE SELECT UPDATE",
    (SCHEDULER, "schedule.pulse"): "SELECT UPDATE",
    (SCHEDULER, "schedule.users"): "DELETE INSERT SELECT UPDATE",
    (DISPATCHER, "outbox.messages"): "DELETE SELECT UPDATE",
    (DISPATCHER, "outbox.rejected"): "INSERT SELECT",
    (DISPATCHER, "public.schema_migrations"): "SELECT",
    (WORKER, "delivery.attempts"): "INSERT SELECT",
    (WORKER, "delivery.dead_letters"): "DELETE INSERT SELECT UPDATE",
    (WORKER, "delivery.deliveries"): "INSERT SELECT UPDATE",
    (WORKER, "delivery.deleted_users"): "DELETE INSERT SELECT UPDATE",
    (WORKER, "delivery.endpoint_tests"): "DELETE SELECT UPDATE",
    (WORKER, "delivery.endpoints"): "SELECT",
    (WORKER, "delivery.failing_endpoints"): "DELETE INSERT SELECT",
    (WORKER, "delivery.events"): "INSERT SELECT UPDATE",
    (WORKER, "delivery.replays"): "DELETE SELECT UPDATE",
    (WORKER, "inbox.messages"): "DELETE INSERT SELECT",
    (WORKER, "public.schema_migrations"): "SELECT",
}
SCHEMAS = {
    API: "delivery inbox outbox public schedule users",
    SCHEDULER: "audit inbox outbox public schedule",
    DISPATCHER: "outbox public",
    WORKER: "delivery inbox outbox public",
}
APPENDERS = [API, SCHEDULER, WORKER]
ENDPOINT_WRITES = [
    "create_endpoint",
    "lock_endpoint",
    "replace_endpoint",
    "rotate_endpoint_secret",
    "remove_endpoint",
    "request_endpoint_test",
]


async def test_each_role_has_these_rights_on_tables_and_no_others(connect_as: Connect) -> None:
    admin = await connect_as("postgres")

    rows = await admin.fetch(
        """
        SELECT role, oid::regclass::text AS relation, string_agg(privilege, ' ' ORDER BY privilege) AS rights
        FROM pg_class
        CROSS JOIN unnest($1::text[]) AS role
        CROSS JOIN unnest(
            ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']
        ) AS privilege
        WHERE relnamespace::regnamespace::text = ANY($2) AND relkind IN ('r', 'p', 'v', 'm', 'f')
            AND has_table_privilege(role, oid, privilege)
        GROUP BY 1, 2
        """,
        ROLES,
        OURS,
    )

    rights = {(row["role"], qualified(row["relation"])): row["rights"] for row in rows}
    assert rights == TABLES


async def test_each_role_may_use_these_schemas_and_make_nothing_in_any(connect_as: Connect) -> None:
    admin = await connect_as("postgres")

    for right, expected in (("USAGE", SCHEMAS), ("CREATE", dict.fromkeys(ROLES))):
        rows = await admin.fetch(
            """
            SELECT role, string_agg(nspname, ' ' ORDER BY nspname)
                FILTER (WHERE has_schema_privilege(role, oid, $3)) AS schemas
            FROM pg_namespace CROSS JOIN unnest($1::text[]) AS role
            WHERE nspname = ANY($2)
            GROUP BY 1
            """,
            ROLES,
            OURS,
            right,
        )
        assert {row["role"]: row["schemas"] for row in rows} == expected


async def test_only_those_with_events_to_tell_may_append(connect_as: Connect) -> None:
    admin = await connect_as("postgres")

    rows = await admin.fetch(
        """
        SELECT role FROM pg_proc CROSS JOIN unnest($1::text[]) AS role
        WHERE oid = 'outbox.append'::regproc AND has_function_privilege(role, oid, 'EXECUTE')
        """,
        ROLES,
    )

    assert [row["role"] for row in rows] == APPENDERS


async def test_only_the_api_may_pause_and_resume(connect_as: Connect) -> None:
    admin = await connect_as("postgres")

    rows = await admin.fetch(
        """
        SELECT proname, role FROM pg_proc CROSS JOIN unnest($1::text[]) AS role
        WHERE pronamespace = 'schedule'::regnamespace AND has_function_privilege(role, pg_proc.oid, 'EXECUTE')
            AND proname ~ '^(pause|resume)_'
        ORDER BY 1
        """,
        ROLES,
    )

    assert [tuple(row) for row in rows] == [
        ("pause_event_type", API),
        ("pause_occasion", API),
        ("resume_event_type", API),
        ("resume_occasion", API),
    ]


async def test_only_the_worker_looks_after_the_months_of_deliveries_and_old_secrets(
    connect_as: Connect,
) -> None:
    admin = await connect_as("postgres")

    rows = await admin.fetch(
        """
        SELECT proname, array_agg(role) FILTER (WHERE has_function_privilege(role, oid, 'EXECUTE')) AS roles
        FROM pg_proc CROSS JOIN unnest($1::text[]) AS role
        WHERE pronamespace = 'delivery'::regnamespace AND proname ~ 'partitions|forget|erase'
        GROUP BY 1
        """,
        ROLES,
    )

    upkeep = ("extend_partitions", "drop_partitions", "forget_events", "erase_old_secrets")
    assert {row["proname"]: row["roles"] for row in rows} == {name: [WORKER] for name in upkeep}


async def test_only_the_scheduler_makes_and_drops_partitions_of_history(connect_as: Connect) -> None:
    admin = await connect_as("postgres")

    rows = await admin.fetch(
        """
        SELECT role, oid::regproc::text FROM pg_proc CROSS JOIN unnest($1::text[]) AS role
        WHERE oid IN ('schedule.extend_history'::regproc, 'schedule.drop_history'::regproc)
            AND has_function_privilege(role, oid, 'EXECUTE')
        ORDER BY 2
        """,
        ROLES,
    )

    assert [tuple(row) for row in rows] == [
        (SCHEDULER, "schedule.drop_history"),
        (SCHEDULER, "schedule.extend_history"),
    ]


async def test_only_the_api_may_call_the_functions_of_endpoints(connect_as: Connect) -> None:
    admin = await connect_as("postgres")

    rows = await admin.fetch(
        """
        SELECT proname, array_agg(role) FILTER (WHERE has_function_privilege(role, oid, 'EXECUTE')) AS roles
        FROM pg_proc CROSS JOIN unnest($1::text[]) AS role
        WHERE pronamespace = 'delivery'::regnamespace AND proname LIKE '%endpoint%'
        GROUP BY 1
        """,
        ROLES,
    )

    assert {row["proname"]: row["roles"] for row in rows} == {name: [API] for name in ENDPOINT_WRITES}


async def test_only_the_api_asks_for_deliveries_again_and_only_the_worker_opens_them(
    connect_as: Connect,
) -> None:
    admin = await connect_as("postgres")

    rows = await admin.fetch(
        """
        SELECT proname, array_agg(role) FILTER (WHERE has_function_privilege(role, oid, 'EXECUTE')) AS roles
        FROM pg_proc CROSS JOIN unnest($1::text[]) AS role
        WHERE pronamespace = 'delivery'::regnamespace AND proname ~ 'deliver|replay|redrive'
        GROUP BY 1
        """,
        ROLES,
    )

    assert {row["proname"]: row["roles"] for row in rows} == {
        "request_redrive": [API],
        "request_replay": [API],
        "retry_delivery": [API],
        "reopen_deliveries": [WORKER],
    }


async def test_everybody_else_has_nothing(connect_as: Connect) -> None:
    admin = await connect_as("postgres")

    rows = await admin.fetch(
        """
        WITH thing (name, acl) AS (
            SELECT oid::regclass::text, coalesce(relacl, acldefault('r', relowner)) FROM pg_class
            WHERE relnamespace::regnamespace::text = ANY($1)
            UNION ALL
            SELECT oid::regprocedure::text, coalesce(proacl, acldefault('f', proowner)) FROM pg_proc
            WHERE pronamespace::regnamespace::text = ANY($1)
            UNION ALL
            SELECT nspname, coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace
            WHERE nspname = ANY($1)
        )
        SELECT name, privilege_type FROM thing CROSS JOIN aclexplode(acl) AS entry WHERE entry.grantee = 0
        """,
        OURS,
    )

    assert [tuple(row) for row in rows] == []


async def test_no_role_can_become_more_than_it_is(connect_as: Connect) -> None:
    admin = await connect_as("postgres")

    rows = await admin.fetch(
        """
        SELECT rolname FROM pg_roles
        WHERE rolname = ANY($1) AND (
            rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls
            OR EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid)
        )
        """,
        ROLES,
    )

    assert [row["rolname"] for row in rows] == []


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        (SCHEDULER, "SELECT * FROM users.users"),
        (WORKER, "SELECT * FROM schedule.occurrences"),
        (API, "SELECT * FROM delivery.deliveries"),
        (API, "SELECT * FROM delivery.dead_letters"),
        (API, "SELECT * FROM delivery.endpoints"),
        (API, "SELECT delivery.reopen_deliveries('{}')"),
        (API, "SELECT * FROM schedule.occurrences"),
        (API, "SELECT * FROM schedule.history"),
        (API, "SELECT * FROM schedule.pauses"),
        (SCHEDULER, "SELECT schedule.resume_event_type('BIRTHDAY', now())"),
        (DISPATCHER, "SELECT * FROM schedule.users"),
        (API, "SELECT * FROM outbox.messages"),
        (SCHEDULER, "SELECT * FROM outbox.messages"),
        (WORKER, "DELETE FROM outbox.messages"),
        (SCHEDULER, "INSERT INTO outbox.messages DEFAULT VALUES"),
        (DISPATCHER, "INSERT INTO outbox.messages DEFAULT VALUES"),
        (DISPATCHER, "SELECT outbox.append('{}', '{}', '{}', '{}', '{}', '{}')"),
        (WORKER, "UPDATE delivery.attempts SET error = NULL"),
        (API, "INSERT INTO public.schema_migrations VALUES ('9999', 'mine')"),
        (API, "CREATE TABLE public.mine ()"),
        (API, "CREATE FUNCTION pg_temp.unnest(uuid[]) RETURNS void LANGUAGE sql AS ''; SET ROLE postgres"),
    ],
)
async def test_a_role_is_refused_what_is_not_its_own(connect_as: Connect, role: str, statement: str) -> None:
    connection = await connect_as(role)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)


@pytest.mark.parametrize("role", APPENDERS)
async def test_a_service_appends_without_seeing_the_outbox(database: FreshDatabase, role: str) -> None:
    connection = await database.connect(role)
    admin = await database.connect()

    await connection.execute(
        """
        SELECT outbox.append(
            ARRAY[gen_random_uuid()], ARRAY['UserDeleted'], ARRAY[2::smallint],
            ARRAY['a user'], ARRAY['{"priority": "normal"}'::jsonb], ARRAY['body']
        )
        """
    )

    assert await admin.fetchval("SELECT event_type FROM outbox.messages") == "UserDeleted"


def qualified(relation: str) -> str:
    """Return a relation with its schema, which PostgreSQL leaves out for those in public."""
    return relation if "." in relation else f"public.{relation}"
