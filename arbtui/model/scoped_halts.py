"""Halts of less than everything: one file each in the folder ``halt.d`` beside ``kill.flag``. Standard library only.

``kill.flag`` halts everything and comes first (:mod:`arbtui.model.halt`). A file ``halt.d/SCOPE.json`` holds back one exchange,
one symbol, one route, or everything less severely than a kill; that of a wallet says that coins are not to be moved there, and orders
pass. Any process may write one; it stands until an operator takes it away, over restarts too. A file that cannot be understood holds
back everything with depth REDUCING: nobody can tell what it meant.
"""

import contextlib
import fcntl
import json
import os
import re
import stat
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

from arbtui.model.durable_folder import make_folders, sync_folder
from arbtui.model.errors import UsageError
from arbtui.model.regular_file import read_regular

FOLDER_NAME = "halt.d"
ARCHIVE_NAME = "old"  #: what was taken away is kept here
GLOBAL = "global"
DOUBT = "FILE"  #: the source of a halt that stands because a file could not be understood
NOTICE = "NOTICE"  #: the source of what a venue's notice has set: alone it may end by itself, once the venue is there again
RULES = "RULES"  #: the source of what stands because a market's rules are others than those that were read at the start
_LAST_MS = 253_402_300_799_000  # the last moment of the year 9999
_KINDS = ("exchange", "symbol", "route", "wallet")
WALLET = "wallet"
#: A folder that changed less than this long ago, in s, may change once more without a new time: file systems count in ticks.
_TICK_S = 2.0
_LARGEST = 65_536
_LOCK_TRIES, _LOCK_PAUSE_S = 50, 0.01


class Depth(StrEnum):
    """How much a halt holds back, least first. Cancels always pass."""

    PAUSED = "PAUSED"  #: no new entries; open cycles are finished
    REDUCING = "REDUCING"  #: only what shrinks exposure; at the gate the same, set by a doubt rather than by a wish
    HALTED = "HALTED"  #: nothing is sent

    @property
    def rank(self) -> int:
        """Higher is more severe."""
        return list(Depth).index(self)


@dataclass(frozen=True, slots=True)
class ScopedHalt:
    """What is held back, how much, by whom, when (ms since the epoch, UTC) and why."""

    scope: str  #: ``exchange.upbit``, ``symbol.XRP``, ``symbol.upbit:XRP``, ``route.XRP:upbit>binance``, ``wallet.upbit:XRP``, ``global``
    depth: Depth
    source: str  #: CLI, :data:`NOTICE`, :data:`RULES`, ...; :data:`DOUBT` for a file that could not be understood
    by: str  #: the person
    reason: str
    ts_ms: int
    also: str = ""  #: of one that a notice has set: whoever else has set it, in words; it is theirs to take away then

    @property
    def is_doubt(self) -> bool:
        """True for what stands only because a file could not be understood."""
        return self.source == DOUBT

    @property
    def may_end_by_itself(self) -> bool:
        """True for what a notice has set, and nobody else: a person takes away every other one."""
        return self.source == NOTICE and not self.also

    @property
    def is_gate(self) -> bool:
        """True for one of a wallet: coins are not to be moved there, and orders pass."""
        return self.scope.startswith(f"{WALLET}.")

    @property
    def short(self) -> str:
        """``upbit REDUCING``; of a wallet ``upbit:XRP gated``."""
        name = self.scope.partition(".")[2]
        return f"{name} gated" if self.is_gate else f"{name or 'everything'} {self.depth}"

    @property
    def why(self) -> str:
        """The reason, and who else has set it."""
        return f"{self.reason or 'no reason given'}{f'; and {self.also}' if self.also else ''}"

    def in_words(self) -> str:
        """``upbit REDUCING since 2026-11-29 10:33:46Z by ann (CLI): reason``."""
        if self.is_doubt:
            return f"{self.short}: {FOLDER_NAME}/{self.reason}"
        since = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(max(0, min(self.ts_ms, _LAST_MS)) / 1000))
        return f"{self.short} since {since} by {self.by} ({self.source}): {self.why}"

    def joined(self, other: "ScopedHalt") -> "ScopedHalt":
        """What stands where ``other`` is set, too: the deeper one, the earlier of two as deep; a notice's remembers who else has set it."""
        deeper = other if other.depth.rank > self.depth.rank else self
        also = self.also or next((one.in_words() for one in (self, other) if one.source != NOTICE), "")
        return replace(deeper, also=also) if deeper.source == NOTICE else deeper

    def covers(self, exchanges: Collection[str], assets: Collection[str], route: str) -> bool:
        """Whether an order at one of ``exchanges``, in one of ``assets``, or of ``route`` falls under it."""
        kind, _, name = self.scope.partition(".")
        match kind:
            case "exchange":
                return name in exchanges
            case "symbol":
                venue, at_one, asset = name.rpartition(":")
                return asset in assets and (not at_one or venue in exchanges)
            case "route":
                return name == route
            case "wallet":
                return False
        return True

    def gates(self, exchange: str, asset: str) -> bool:
        """Whether ``asset`` may not be moved from or to ``exchange`` while it stands."""
        return self.is_gate and self.scope.partition(".")[2] in (exchange, f"{exchange}:{asset}")


def scope_of(text: str) -> str:
    """``text`` as scopes are written: an exchange in small letters, a symbol in capitals.

    Raises:
        UsageError: it is no scope.
    """
    kind, _, name = text.strip().partition(".")
    kind = kind.lower()
    if kind == GLOBAL and not name:
        return GLOBAL
    is_half = kind in ("symbol", WALLET) and ":" in name and not all(name.rpartition(":")[::2])
    if kind not in _KINDS or not re.fullmatch(r"[!-~]{1,150}", name) or is_half:
        raise UsageError(
            f"scope {text!r}: expected global, exchange.NAME, symbol.ASSET, symbol.EXCHANGE:ASSET, route.ID or wallet.EXCHANGE:ASSET"
        )
    if kind == "exchange":
        return f"exchange.{name.lower()}"
    if kind == "symbol":
        exchange, colon, asset = name.rpartition(":")
        return f"symbol.{exchange.lower()}{colon}{asset.upper()}"
    if kind == WALLET:
        exchange, colon, asset = name.partition(":")
        return f"wallet.{exchange.lower()}{colon}{asset.upper()}"
    symbol, colon, legs = name.partition(":")
    return f"route.{symbol.upper()}{colon}{','.join(_leg(leg) for leg in legs.split(','))}"


def _leg(text: str) -> str:
    """A leg of a route's id, such as ``upbit>binance``, ``chain`` or ``upbit/BTC>KRW``: what stands behind the slash are assets."""
    venues, slash, assets = text.partition("/")
    return f"{venues.lower()}{slash}{assets.upper()}"


def depth_of(text: str) -> Depth:
    """The depth that ``text`` names.

    Raises:
        UsageError: it names none.
    """
    try:
        return Depth(text.strip().upper())
    except ValueError:
        raise UsageError(f"depth {text!r}: expected paused, reducing or halted") from None


def file_name(scope: str) -> str:
    """The name of the file of ``scope``: what a file name cannot hold is written as in URLs."""
    return f"{quote(scope, safe='')}.json"


def file_of(profile_folder: Path, text: str) -> str:
    """The name of the file that an operator means by ``text``: a scope, or the name of a file that stands in ``halt.d``.

    Raises:
        UsageError: it is neither.
    """
    with contextlib.suppress(OSError):
        if text != ARCHIVE_NAME and text in os.listdir(profile_folder / FOLDER_NAME):
            return text
    return file_name(scope_of(text))


def read_halts(profile_folder: Path) -> tuple[tuple[ScopedHalt, ...], dict[str, str]]:
    """The halts that stand in ``halt.d``, and by file's name why one could not be understood (each is a global REDUCING, too)."""
    folder = profile_folder / FOLDER_NAME
    halts, troubles = list[ScopedHalt](), dict[str, str]()
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return (), {}
    except OSError as error:
        names, troubles = [], {FOLDER_NAME: f"it cannot be read ({error.strerror or error})"}
    for name in names:
        path = folder / name
        with contextlib.suppress(FileNotFoundError):  # taken away just now
            if name == ARCHIVE_NAME and stat.S_ISDIR(path.lstat().st_mode):
                continue
            try:
                halts.append(_parse(name, read_regular(path, _LARGEST)))
            except FileNotFoundError:
                raise
            except OSError as error:
                troubles[name] = f"it cannot be read ({error.strerror or error})"
            except ValueError as error:
                troubles[name] = f"it is no halt ({error})"
    halts += [ScopedHalt(GLOBAL, Depth.REDUCING, DOUBT, "unknown", f"{name}: {why}", 0) for name, why in troubles.items()]
    return tuple(halts), troubles


def _parse(name: str, raw: bytes) -> ScopedHalt:
    """The halt that a file holds.

    Raises:
        ValueError: it holds none.
    """
    try:
        body = json.loads(raw)
        scope, depth, ts_ms = body["scope"], Depth(body["depth"]), body["ts_ms"]
        told = (*(body[key] for key in ("source", "by", "reason")), body.get("also", ""))
        if scope != scope_of(scope) or file_name(scope) != name:
            raise ValueError("its name and its scope differ")
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{error!s} is missing or of the wrong kind") from None
    except (RecursionError, UsageError) as error:
        raise ValueError(str(error)) from None
    if not all(isinstance(word, str) for word in told) or isinstance(ts_ms, bool) or not isinstance(ts_ms, int):
        raise ValueError("a value is of the wrong kind")
    source, by, reason, also = told
    return ScopedHalt(scope, depth, source, by, reason, ts_ms, also)


def write_halt(profile_folder: Path, halt: ScopedHalt) -> tuple[ScopedHalt, bool]:
    """Make ``halt`` stand, durably; what stands now, and whether it holds back more than before. One as deep or deeper is kept.

    What a notice has set, and what stood where a notice sets more, is remembered together (:meth:`ScopedHalt.joined`): the end of what
    the notice tells of takes nothing away that somebody else has set.

    A file at its place that cannot be understood is put aside in the same folder, where it goes on holding back everything.

    Raises:
        OSError: the folder cannot be written; the caller must report it.
    """
    folder = profile_folder / FOLDER_NAME
    if not folder.is_dir():
        make_folders(folder)
    path = folder / file_name(halt.scope)
    with _locked(folder):
        before = _standing(path)
        halt = halt if before is None else before.joined(halt)
        if halt == before:
            return before, False
        if before is None and os.path.lexists(path):
            path.rename(folder / f"{path.name}.{time.time_ns()}")
        body = {
            "scope": halt.scope,
            "depth": halt.depth.value,
            "source": halt.source,
            "by": halt.by,
            "reason": halt.reason,
            "also": halt.also,
        }
        # Written beside the folder, not in it: whatever stands inside counts, half of a file too.
        part = profile_folder / f".{path.name}.{os.getpid()}.{time.time_ns()}"
        try:
            fd = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                os.write(fd, json.dumps({**body, "ts_ms": halt.ts_ms}).encode())
                os.fsync(fd)
            finally:
                os.close(fd)
            part.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
        sync_folder(folder)
        sync_folder(profile_folder)
    return halt, before is None or before.depth is not halt.depth


def archive_halt(profile_folder: Path, name: str, only: ScopedHalt | None = None) -> Path | None:
    """Take the file ``name`` out of ``halt.d`` by moving it to ``halt.d/old``; where it is now, or None when there is none.

    ``only``: leave it, and answer None, where it holds another one by now.

    Raises:
        OSError: it cannot be moved; the halt stands.
    """
    folder = profile_folder / FOLDER_NAME
    path, old = folder / name, folder / ARCHIVE_NAME
    if not os.path.lexists(path):
        return None
    old.mkdir(mode=0o700, exist_ok=True)
    with _locked(folder):
        if only is not None and _standing(path) != only:
            return None
        moved = old / f"{name}.{time.time_ns() // 1_000_000}"
        path.rename(moved)
        sync_folder(old)
        sync_folder(folder)
    return moved


def _standing(path: Path) -> ScopedHalt | None:
    try:
        return _parse(path.name, read_regular(path, _LARGEST))
    except (OSError, ValueError):
        return None


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two writers, one after the other; a lock that nobody gives back stops no halt."""
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                time.sleep(_LOCK_PAUSE_S)
        yield
    finally:
        os.close(fd)


class ScopedHalts:
    """The scoped halts of one running engine: read at the gate before every order. For the engine's thread only.

    ``wall_s``: the machine's clock in s, against which a folder's time of change is compared.
    """

    def __init__(self, profile_folder: Path, wall_s: Callable[[], float] = time.time) -> None:
        self._profile_folder = profile_folder
        self._folder = str(profile_folder / FOLDER_NAME)
        self._wall_s = wall_s
        self._stamp: tuple[int, ...] | None = None
        self._is_settled = False
        self.standing: tuple[ScopedHalt, ...] = ()
        self.gates: tuple[ScopedHalt, ...] = ()  #: those of wallets among them
        self.troubles: dict[str, str] = {}  #: by file's name, why it could not be understood
        self.version = 0  #: rises when anything of this changed
        self.read()

    def look(self) -> None:
        """One question about the folder; everything is read again only if it may have changed."""
        if self._stamp_now() != self._stamp or not self._is_settled:
            self.read()

    def read(self) -> None:
        """Read every file, however old: one that is written in place changes nothing that the folder tells."""
        asked_at = self._wall_s()
        self._stamp = self._stamp_now()  # before the files: what changes from here on is seen at the next look
        self._is_settled = self._stamp is None or asked_at - self._stamp[2] / 1e9 > _TICK_S
        standing, troubles = read_halts(self._profile_folder)
        if (standing, troubles) != (self.standing, self.troubles):
            self.standing, self.troubles = standing, troubles
            self.gates = tuple(halt for halt in standing if halt.is_gate)
            self.version += 1

    def depth(self, exchanges: Collection[str], assets: Collection[str], route: str) -> Depth | None:
        """How much is held back at one of ``exchanges``, in one of ``assets``, or on ``route``; the deepest, or None."""
        if not self.standing:
            return None
        found = [halt.depth for halt in self.standing if halt.covers(exchanges, assets, route)]
        return max(found, key=lambda depth: depth.rank, default=None)

    def is_gated(self, exchange: str, asset: str) -> bool:
        """Whether ``asset`` may not be moved from or to ``exchange`` now."""
        return any(halt.gates(exchange, asset) for halt in self.gates)

    def _stamp_now(self) -> tuple[int, ...] | None:
        try:
            facts = os.lstat(self._folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            return (-1, -1, 0, error.errno or 0)  # reading it will tell
        return (facts.st_dev, facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns)
