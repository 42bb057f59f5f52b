"""``arbtui kill --scope``: holds back one exchange, symbol or route, or everything short of a kill. Standard library only.

The file is written first; then a running engine is asked whether it has seen it, and whether it trades anything that falls under it.
Where none runs, the profile is read, whether it has the exchanges that the scope names. In doubt nothing is said against a scope.
"""

import re
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from arbtui.model.scoped_halts import FOLDER_NAME, Depth, ScopedHalt, file_name, write_halt
from arbtui.settings.lock import holder
from arbtui.settings.output import say, tell_if_read
from arbtui.settings.person import person
from arbtui.settings.requests import ask
from arbtui.settings.state import latest_mode, mode_folder

#: How long a running engine is given to say that it has seen the halt, in s.
_CONFIRM_S = 2.0


@dataclass(frozen=True, slots=True)
class ScopeDone:
    """What was done, and its result."""

    name: str
    folder: Path
    halt: ScopedHalt  #: what stands now; what was asked for where nothing could be written
    written: bool  #: False: one as deep or deeper stood already, or none could be written
    error: str  #: why none could be written
    pid: int | None  #: of the engine; None when none runs, 0 when unknown
    confirmed: bool  #: the engine has seen it
    why: str  #: what the engine says instead; where none runs, why it will hold back nothing, as far as the profile tells
    orders: tuple[str, ...] = ()  #: by venue, what it has confirmed of cancels sent from here, since no engine does it
    by_guardian: tuple[str, ...] = ()  #: the same of cancels that a guardian sent

    @property
    def code(self) -> int:
        """0 where it stands in a running engine's way, else 1."""
        return 1 if self.error or self.pid is None or (self.why and self.confirmed) else 0

    def facts(self) -> dict[str, object]:
        """As JSON can hold it."""
        return {
            "profile": self.name,
            "folder": str(self.folder),
            "scope": self.halt.scope,
            "depth": self.halt.depth.value,
            "file": str(self.folder / FOLDER_NAME / file_name(self.halt.scope)),
            "written": self.written,
            "error": self.error or None,
            "by": self.halt.by,
            "reason": self.halt.reason,
            "running": self.pid is not None,
            "pid": self.pid or None,
            "confirmed": self.confirmed,
            "why": self.why or None,
            "cancelled_here": list(self.orders) or None,
            "cancelled_by_guardian": list(self.by_guardian) or None,
        }

    def with_orders(self, profile: str, root: Path) -> "ScopeDone":
        """Where nothing may be sent, no engine cancels and real orders may stand: cancel those of the scope from here, or by a guardian."""
        if self.error or self.confirmed or self.halt.depth is not Depth.HALTED:
            return self
        try:
            mode = latest_mode(root, self.name)
        except OSError as error:
            return replace(self, orders=(f"not known whether any stands: {error.filename} cannot be looked into ({error.strerror})",))
        if mode != "live":
            return self
        from arbtui.cli.kill_orders import cancel_wherever

        say(f"cancelling what stands of {self.halt.scope} at the venues from here")
        journal = mode_folder(root, self.name, "live") / "journal.db"
        orders, by_guardian = cancel_wherever(profile, self.folder, journal, self.halt.scope)
        return replace(self, orders=orders, by_guardian=by_guardian)

    def report_orders(self) -> None:
        """Say what became of the scope's orders; an engine that cancels says so itself."""
        if self.orders:
            say(f"orders of {self.name} in {self.halt.scope}, cancelled from here: {', '.join(self.orders)}")
        if self.by_guardian:
            say(f"orders of {self.name} in {self.halt.scope}, cancelled by its guardian: {', '.join(self.by_guardian)}")

    def report(self, *, quiet: bool) -> int:
        """Say what was done, unless ``quiet``; the exit code."""
        what = f"{self.halt.scope} of {self.name} is {self.halt.depth}"
        stood = "" if self.written else f" (since before, by {self.halt.by})"
        free = f"arbtui rearm --profile {self.name} --scope {self.halt.scope} ends it"
        if self.error:
            say(f"nothing was halted: {self.folder / FOLDER_NAME} could not be written ({self.error})")
        elif self.pid is None and self.why:
            say(f"{what}{stood}, but will hold back nothing: {self.why}; {free}; and no engine runs on {self.folder}")
        elif self.pid is None:
            told = f"{self.name} will start so{_as_far_as_it_trades(self.halt.scope)}"
            say(f"{what}{stood}, and no engine runs on {self.folder}: {told}; {free}")
        elif self.why and self.confirmed:
            say(f"{what}{stood}, but holds back nothing: {self.why}; {free}")
        elif quiet:
            pass
        elif self.confirmed:
            tell_if_read(f"arbtui: {what}{stood}, confirmed by the engine (pid {self.pid}); {free}\n")
        else:
            tell_if_read(f"arbtui: {what}{stood}; the engine has not confirmed: {self.why}. It looks before every order; {free}\n")
        return self.code


def halt_scope(name: str, folder: Path, scope: str, depth: Depth, reason: str, profile: str) -> ScopeDone:
    """Write the halt, ask the engine that runs; what came of it. ``profile``: by name or path, read where no engine runs."""
    halt = ScopedHalt(scope, depth, "CLI", person(), reason, time.time_ns() // 1_000_000)
    written, error = False, ""
    try:
        halt, written = write_halt(folder, halt)
    except OSError as failure:
        error = failure.strerror or str(failure)
    pid = holder(folder)
    confirmed, why = False, ""
    if pid is None and not error:
        why = names_nothing(profile, scope)
    elif pid is not None and not error:
        try:
            answer = ask(folder, {"verb": "scope_seen", "scope": scope}, _CONFIRM_S)
        except OSError as failure:
            answer, why = None, failure.strerror or str(failure)
        confirmed = answer is not None
        why = why or (f"no answer within {_CONFIRM_S:g} s" if answer is None else str(answer.get("refusal") or ""))
    return ScopeDone(name, folder, halt, written, error, pid, confirmed, why)


def names_nothing(profile: str, scope: str) -> str:
    """Why nothing of ``profile`` can fall under ``scope``, with what was probably meant; empty in doubt."""
    kind, _, name = scope.partition(".")
    coin, colon, venues = name.partition(":")
    if kind == "route" and (not colon or ">" not in venues):
        meant = f"; did you mean symbol.{venues}:{coin}?" if venues else f"; did you mean symbol.{coin}?"
        return f"{name} is no route's id, such as XRP:upbit>binance{meant}"
    named = [name] if kind == "exchange" else [coin] if kind == "wallet" or (kind == "symbol" and colon) else []
    if kind == "route" and re.fullmatch(r"[a-z0-9_+>-]+", venues):  # ids of longer routes name markets, too
        named = re.split(r"[+>]", venues)
    known: list[str] = []
    if named:
        with suppress(Exception):  # whatever is wrong with the profile: the halt stands, and is reported
            from arbtui.settings.locations import find_profile

            find_profile(profile)
            from arbtui.settings.load import load_profile

            known = sorted(load_profile(profile).exchanges)
    wrong = next((one for one in named if known and one not in (*known, "chain")), None)
    if wrong is None:
        return ""
    from difflib import get_close_matches

    close = get_close_matches(wrong, known, n=1, cutoff=0.5)
    meant = f"; did you mean {kind}.{name.replace(wrong, close[0])}?" if close else ""
    return f"the profile has no exchange {wrong}, but {', '.join(known)}{meant}"


def _as_far_as_it_trades(scope: str) -> str:
    """Which symbols a profile trades is known only once it runs."""
    kind, _, name = scope.partition(".")
    return f" if it trades {name}" if kind == "symbol" else ""
