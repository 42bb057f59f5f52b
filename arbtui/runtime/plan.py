"""The plan of a run: everything that is decided before its loop begins."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from arbtui.failover.crash_detector import Traces
from arbtui.journal.store import Door
from arbtui.marketdata.top_check import TopCheck
from arbtui.model.clock import Clock
from arbtui.monitoring.channel import Channel
from arbtui.runtime.fingerprint import Fingerprint
from arbtui.runtime.modes import opener, origins, scenario
from arbtui.runtime.venues import Ground, Venues
from arbtui.settings.options import SessionOptions
from arbtui.settings.output import JsonOutput
from arbtui.settings.profile import Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run is: a session in one of the modes, or a replay."""

    settings: Settings
    folder: Path  #: of the profile: flag and log
    state_folder: Path  #: of the mode: journal and venues
    open_venues: Callable[[Ground], Coroutine[Any, Any, Venues]]
    origins: Mapping[str, str]  #: exchange to where it trades: ``simulator``, or its REST URL
    virtual: bool
    headless: bool
    max_runtime_s: float | None
    json: JsonOutput | None
    scenario: str = ""
    telegram: SecretStr | None = None  #: the bot's token, where the operator is to be reached
    channels: Sequence[Channel] = ()  #: other ways to the operator
    confirmed: bool = True  #: a person has armed it, with its name in live; else ``[failover] resume`` decides
    unattended: bool = False  #: a supervisor has made this start: under a kill it runs HALTED, and sees to what was left
    traces: Traces = field(default_factory=Traces)  #: what the profile's last engine left
    waited: str = ""  #: for whom it waited before it had the profile's lock, in words
    record: Path | None = None  #: where what the engine is fed is recorded
    fingerprint: Fingerprint | None = None  #: of what a recording or a replay brought about
    clock: Clock | None = None  #: of the virtual time in which this run is one of several; None makes one of its own
    door: Door = "sync"  #: in virtual time: how the journal is written
    progress: Callable[[float], None] | None = None  #: in virtual time, told the clock's s ten times a virtual second; None: the run's own
    top_check: TopCheck | None = None  #: replay only: compares ladders with best prices, and adds its findings to the summary


def session_plan(
    options: SessionOptions,
    folder: Path,
    state_folder: Path,
    telegram: SecretStr | None,
    channels: Sequence[Channel],
    traces: Traces,
    waited: str = "",
) -> Plan:
    """The plan of a session as the command line and the profile ask for it.

    Args:
        options: what was asked for; looked at already (:func:`arbtui.runtime.arming.refuse_unarmed`).
        folder: of the profile.
        state_folder: of the profile's mode.
        telegram: the bot's token; None where nobody is to be reached by it.
        channels: other ways to the operator.
        traces: what the profile's last engine left, read before this one took its place.
        waited: for whom it waited before it had the profile's lock, in words.
    """
    settings = options.settings
    return Plan(
        settings=settings,
        folder=folder,
        state_folder=state_folder,
        open_venues=partial(opener(settings), settings),
        origins=origins(settings),
        virtual=options.speed == "max",
        headless=options.headless,
        max_runtime_s=options.max_runtime_s,
        json=options.json,
        scenario=scenario(settings),
        telegram=telegram,
        channels=channels,
        confirmed=options.confirm == settings.name,
        unattended=options.unattended,
        traces=traces,
        waited=waited,
        record=options.record,
        fingerprint=None if options.record is None else Fingerprint(),
    )
