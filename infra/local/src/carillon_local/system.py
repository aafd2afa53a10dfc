"""The composition: what is started and in which order."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Never, Self

import httpx
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.engine import Engine
from testkit.ports import LOOPBACK, free_port

from carillon_local.auth import auth_variables
from carillon_local.child import Child, Echo, to_the_end
from carillon_local.later_clock import refuse_later_data
from carillon_local.local_folder import POSTGRES, hold, keep_encryption_keys, keep_secret, wipe
from carillon_local.options import Options
from carillon_local.programs import (
    DATABASE,
    ENVIRONMENT,
    MODULES,
    Wiring,
    console_program,
    engine_program,
    postgres_program,
    receiver_program,
    service_program,
)
from carillon_local.supervise import Supervisor, side_by_side
from carillon_local.surroundings import broker, inherited, module

START_SECONDS = 60.0
Say = Callable[[str], None]


class LocalSystem:
    """PostgreSQL, the engine, the receiver and the four services, for as long as the context is open.

    With `restarts` all are kept running; without, `died` raises what died. `fresh` removes earlier data
    before and its own afterwards. `say` hears of progress, `echo(name, line)` of every line written;
    `environments` adds variables to single services by name. Made within a running loop. Raises
    SettingsError, ChildFailedError, FilesError and StartFailedError, with nothing left running.
    """

    def __init__(
        self,
        options: Options,
        *,
        fresh: bool = False,
        durable: bool = True,
        restarts: bool = True,
        say: Say = lambda _: None,
        echo: Echo | None = None,
        environments: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.options = options
        self.logs = options.local_dir / "log"
        self.postgres = EmbeddedPostgres(
            options.local_dir / POSTGRES, port=options.postgres_port, durable=durable
        )
        self.engine = Engine(options.local_dir / "engine", port=options.engine_port)
        self.webhook_secret = options.webhook_secret or ""
        self.auth: Mapping[str, str] = {"AUTH": "off"}
        self.clock_offset_seconds = 0.0
        self._encryption_keys = ""
        self._fresh = fresh
        self._say = say
        self._environments = environments or {}
        self._log_format = "json" if echo is None else "console"
        self._supervisor = Supervisor(self.logs, restarts=restarts, echo=echo)
        # For health checks. No connection is kept: whoever is to stop would wait for us to close it.
        self._http = httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
        self._opened = AsyncExitStack()

    @property
    def api_url(self) -> str:
        """Where the user API listens."""
        return f"http://{LOOPBACK}:{self.options.api_port}"

    @property
    def console_url(self) -> str:
        """Where the console is, with a `console_port`."""
        return f"http://{LOOPBACK}:{self.options.console_port}"

    @property
    def receiver_url(self) -> str:
        """Where our own receiver listens, unless webhooks go elsewhere (`options.webhook_url`)."""
        return f"http://{LOOPBACK}:{self.options.receiver_port}"

    @property
    def webhook_url(self) -> str:
        """Where webhooks go."""
        return self.options.webhook_url or f"{self.receiver_url}/webhook"

    @property
    def died(self) -> asyncio.Future[Never]:
        """Raises the ChildFailedError of the first process that died for good."""
        return self._supervisor.died

    def database_url(self, role: str = "postgres") -> str:
        """Return the URL under which `role` reaches the database."""
        return self.postgres.url(role, DATABASE)

    def child(self, name: str) -> Child:
        """Return one of the processes: a service, `receiver`, `engine` or `postgres`."""
        return self._supervisor.child(name)

    async def kill(self, name: str) -> None:
        """Kill one of them with SIGKILL and keep it down."""
        await self.child(name).kill()

    async def restart(self, name: str) -> None:
        """Stop one of them if it runs, start it, and wait until it is ready."""
        await self.child(name).stop()
        await self.child(name).start(within=START_SECONDS)

    def send_kill(self) -> None:
        """Kill everything at once, to cut short a drain that is under way."""
        self._supervisor.send_kill()

    async def __aenter__(self) -> Self:
        """Start everything, in order, each waited for."""
        try:
            await self._start()
        except BaseException:
            await self._opened.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything: services first, then the receiver, the engine and PostgreSQL."""
        async with self._told("stopped"):
            await self._opened.aclose()

    async def _start(self) -> None:
        options, start = self.options, self._supervisor.start
        self._opened.enter_context(hold(options.local_dir))
        if self._fresh:
            wipe(options.local_dir)
            self._opened.callback(self.postgres.remove)
        self.webhook_secret = options.webhook_secret or keep_secret(options.local_dir)
        self._encryption_keys = options.encryption_keys or keep_encryption_keys(options.local_dir)
        self.auth = auth_variables(options)
        await self._opened.enter_async_context(self._http)
        self._opened.push_async_callback(self._supervisor.stop)
        async with self._told(f"PostgreSQL on port {self.postgres.port}, SNS/SQS on port {self.engine.port}"):
            stores = postgres_program(self.postgres), engine_program(self.engine, self._http)
            await start(*stores, within=START_SECONDS)
        async with self._told("database migrated, topics and queues made"):
            await to_the_end(lambda: self.postgres.create_database(DATABASE))
            await self._migrate_and_apply()
        # Only now, so that the time of installing and migrating is not part of it.
        if options.clock is not None:
            self.clock_offset_seconds = (options.clock - datetime.now(UTC)).total_seconds()
        now = datetime.now(UTC) + timedelta(seconds=self.clock_offset_seconds)
        await refuse_later_data(self.database_url(), options.local_dir, now=now)
        wiring = self._wiring()
        if options.webhook_url is None:
            async with self._told(f"receiver on port {options.receiver_port}"):
                await start(receiver_program(wiring), within=START_SECONDS)
        if options.console_port is not None:
            async with self._told(f"console on port {options.console_port}"):
                await start(console_program(wiring), within=START_SECONDS)
        async with self._told(f"four services, the API on port {options.api_port}"):
            await start(*(service_program(name, wiring) for name in MODULES), within=START_SECONDS)

    async def _migrate_and_apply(self) -> None:
        run, inherits = self._supervisor.run_once, inherited()
        direct = {"DATABASE_DIRECT_URL": self.database_url()}
        named = {"CARILLON_ENV": ENVIRONMENT, "TOPOLOGY_FILE": str(self.options.topology_file)}
        await side_by_side(
            run("migrate", module("runtime.migrate"), {**inherits, **direct}),
            run(
                "apply-topology",
                module("messaging.apply_topology"),
                {**inherits, **broker(self.engine), **named},
            ),
        )

    def _wiring(self) -> Wiring:
        return Wiring(
            options=self.options,
            postgres=self.postgres,
            engine=self.engine,
            http=self._http,
            webhook_url=self.webhook_url,
            webhook_secret=self.webhook_secret,
            encryption_keys=self._encryption_keys,
            auth=self.auth,
            clock_offset_seconds=self.clock_offset_seconds,
            log_format=self._log_format,
            ports={name: free_port() for name in MODULES} | {"user-api": self.options.api_port},
            environments=self._environments,
        )

    @asynccontextmanager
    async def _told(self, what: str) -> AsyncIterator[None]:
        started = time.monotonic()
        yield
        self._say(f"{what}  ({time.monotonic() - started:.1f} s)")
