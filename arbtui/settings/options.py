"""What the command line passes to the runtime: the checked settings, and the options of one start."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from arbtui.settings.output import JsonOutput
from arbtui.settings.profile import Settings

Speed = Literal["real", "max"]


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """One session: the console, or headless."""

    settings: Settings
    state_root: Path  #: holds a folder for each profile; see :mod:`arbtui.settings.state`
    headless: bool = False
    speed: Speed = "real"  #: ``max`` runs on the virtual clock, headless ``sim`` only
    max_runtime_s: float | None = None  #: from the first update to the closing of the gate; None: until stopped
    json: JsonOutput | None = None  #: where the summary goes at the end
    confirm: str | None = None  #: the profile's name, typed: what arms ``live``
    record: Path | None = None  #: file for everything that the engine receives, for a replay; must not exist
    unattended: bool = False  #: started by a supervisor: nobody sits there who could confirm or arm


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """One replay of recordings through the same engine."""

    settings: Settings  #: its mode is ``paper``
    files: tuple[Path, ...]  #: at least one, each an ordinary file that could be opened
    state_root: Path | None = None  #: None: a fresh temporary folder
    speed: float | None = 1.0  #: times the recorded speed; None: as fast as possible, on the virtual clock
    json: JsonOutput | None = None  #: where the summary goes at the end


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """One recording of live public streams."""

    settings: Settings
    duration_s: float
    output: Path  #: never overwritten; must not exist, unless ``append``
    append: bool = False  #: go on with the recording that is there
    json: JsonOutput | None = None  #: where the summary goes at the end


@dataclass(frozen=True, slots=True)
class LoadTestOptions:
    """One load test: a child process for each number of symbols."""

    settings: Settings  #: the profile's, in mode ``sim``; the children load it again
    profile: str  #: by name or path, as given
    symbols: tuple[int, ...]  #: at least one, each once
    duration_s: float  #: of each child, from the first update to the closing of the gate
    report: Path | None  #: a folder; created when missing; None: nothing is written
    state_root: Path | None = None  #: None: a fresh temporary folder
    soak: bool = False  #: what must stay level is judged, and no capacity is measured
    console: bool = False  #: rows with the console on a terminal; of a soak only those
    json: JsonOutput | None = None  #: where the report goes, too
