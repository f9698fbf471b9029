"""The running daemon: servers, parts and services from the start to the last sentence."""

import asyncio
import signal
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

import structlog

from config.environment import Environment
from daemon import logs
from daemon.app import Mordomo, assemble
from daemon.banner import print_banner
from daemon.data_folder import DataFolder
from daemon.devices.house import DEMO_ORIGIN
from daemon.errors import LinkDown
from daemon.events import Event
from daemon.heap import keep_for_good
from daemon.housekeeping import Housekeeping
from daemon.log_sink import Backlog, LogSink
from daemon.parts import part_of_log
from daemon.prompt import Prompt
from daemon.servers import DemoHouse, KeepPostgres, Servers, servers
from daemon.supervise import After, Service, supervise
from daemon.trial import TrialEnd, announced
from daemon.web.http import create_app
from daemon.web.serve import Http, bind

log = structlog.get_logger(__name__)

FIRST_LOOK_S = 1.0
"""How long the broker's retained messages are waited for before the house counts as empty."""
DEMO_HOUSE_S = 5.0
"""How long the start waits for the demonstration house, so that the first command finds its lamps."""
TABLES_S = 20.0
"""How long the start waits for the tables; later they come when the database does."""
LAST_S = 1.5
"""How long the end waits for the open conversations to be ended with how they went; the next start does the rest."""
SENTENCE_S = 3.0
"""How long SIGTERM waits for the sentence being spoken."""


@dataclass(frozen=True, slots=True)
class Options:
    """What `mordomo run` was told."""

    demo_house: bool = True
    prompt: bool = False


@dataclass(slots=True)
class Services:
    """The supervised services: each in a task of one group, all cancelled when the daemon stops."""

    group: asyncio.TaskGroup
    mordomo: Mordomo
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self, service: Service) -> None:
        """Supervise one more service."""
        self.tasks.append(self.group.create_task(self._watched(service), name=service.name))

    async def _watched(self, service: Service) -> None:
        try:
            await supervise(service, self.mordomo.clock)
        except Exception as bug:
            log.critical("service_broken", service=service.name, error=f"{type(bug).__name__}: {bug}")
            raise

    def stop(self) -> None:
        """Cancel them all."""
        for task in self.tasks:
            task.cancel()


async def serve(env: Environment, options: Options) -> None:
    """Run the daemon until SIGTERM, SIGINT or SIGHUP. Raises AlreadyRunning, CannotStart, SchemaTooNew with a sentence.

    A service that fails with anything but LinkDown is a bug: it ends the process with an ExceptionGroup.
    """
    began = time.monotonic()
    # At the prompt the screen belongs to the conversation.
    backlog = Backlog()
    logs.configure(env.log_format, "ERROR" if options.prompt and env.log_level == "INFO" else env.log_level, backlog)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(DataFolder(env.data_dir))
        with_servers = await stack.enter_async_context(servers(env))
        mordomo = await stack.enter_async_context(assemble(env, with_servers, observe=_note))
        http = Http(create_app(mordomo), bind(env.http_host, env.http_port))
        async with asyncio.TaskGroup() as group:
            services = Services(group, mordomo)
            _keep_house(services, backlog)
            if await _unless(stop, _begin(services, with_servers, http, options)):
                folder.announce(http.url)
                await print_banner(mordomo, http.url, time.monotonic() - began)
                if options.prompt:
                    services.start(Prompt(mordomo, stop.set))
            await stop.wait()
            log.info("stopping")
            await mordomo.voice.finish(SENTENCE_S)
            services.stop()
        with suppress(TimeoutError, LinkDown):
            async with asyncio.timeout(LAST_S):
                await mordomo.conversations.end_all()
    log.info("stopped")


async def _unless(stop: asyncio.Event, work: Coroutine[None, None, None]) -> bool:
    """Do the work and return True; where told to stop before it is done, cancel it and return False."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            return False
        await working
        return True
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


def _keep_house(services: Services, backlog: Backlog) -> None:
    """Start what writes the log into the database, and what lets go of what is old, once there are tables."""
    mordomo = services.mordomo
    ready = mordomo.schema.ready
    sink = LogSink(backlog, mordomo.servers.database.direct)
    keeping = Housekeeping(mordomo.db, mordomo.clock)
    services.start(After(keeping.name, ready, keeping))
    services.start(After(sink.name, ready, sink))
    mordomo.parts.others.extend((keeping.part, lambda: part_of_log(sink, backlog)))


async def _begin(services: Services, with_servers: Servers, http: Http, options: Options) -> None:
    """Start the services in the order in which they can be of use."""
    mordomo = services.mordomo
    for service in mordomo.services():
        services.start(service)
    if with_servers.postgres is not None:
        services.start(KeepPostgres(with_servers.postgres, mordomo.clock))
    if with_servers.broker is not None:
        services.start(with_servers.broker)
    try:
        async with asyncio.timeout(TABLES_S):
            await mordomo.schema.ready.wait()
            await mordomo.prefs.refresh()
    except TimeoutError:
        log.warning("started_without_database")
    own_house = with_servers.broker is not None and await _house_is_empty(mordomo)
    if own_house and not options.demo_house:
        with suppress(LinkDown):
            await mordomo.devices.forget(DEMO_ORIGIN)
    elif own_house:
        mordomo.trial.demo_house = True
        services.start(DemoHouse(with_servers.mqtt_url))
        services.start(TrialEnd(mordomo.trial, mordomo.plugs.stt, mordomo.clock))
        await announced(mordomo.devices.house, mordomo.clock, DEMO_HOUSE_S)
    services.start(http)
    services.start(mordomo.listening)
    services.group.create_task(_load(mordomo), name="load")


async def _load(mordomo: Mordomo) -> None:
    await mordomo.plugs.load()
    keep_for_good()


async def _house_is_empty(mordomo: Mordomo) -> bool:
    """Tell whether no device but the demonstration's own is known, once the broker has told what it retains."""
    try:
        async with asyncio.timeout(FIRST_LOOK_S):
            await mordomo.devices.settled.wait()
    except TimeoutError:
        log.debug("broker_not_settled")
    house = mordomo.devices.house
    return len(house) == 0 or house.only_demo


def _note(event: Event) -> None:
    log.debug("event", kind=type(event).__name__)
