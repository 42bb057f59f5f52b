"""``arbtui kill``: closes the gate from another shell. Standard library only: it must work when everything else fails.

The flag is written first, from the profile's *name*; the profile itself is not read, so a broken one can be killed too.
Then the engine is signalled, and its confirmation, or the lack of one, is reported.

A name that nobody knows (no state, no profile, no file) is refused, with the nearest one: nothing is created for it. A name
that is known, has never run here and resembles a running one gets its flag, and the answer names the running one first, with
the command to stop it. The resemblance is checked last, after everything that stops trading.
"""

import json
import os
import shlex
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from arbtui.cli.kill_targets import alike, running, targets
from arbtui.model.errors import UsageError
from arbtui.model.halt import FLAG_NAME, read_flag, write_flag
from arbtui.model.scoped_halts import GLOBAL, Depth, depth_of, scope_of
from arbtui.settings.halt_detail import halt_detail
from arbtui.settings.kill_signal import CONFIRM_S, Answer, ask
from arbtui.settings.lock import LOCK_NAME, can_be_seen
from arbtui.settings.output import say, tell_if_read
from arbtui.settings.person import person
from arbtui.settings.process import STOPPED
from arbtui.settings.state import keep_private, latest_mode, mode_folder, profile_folder, state_root

if TYPE_CHECKING:
    from arbtui.cli.kill_scope import ScopeDone

#: How long the engine is asked what became of the orders at the venues, once its gate is closed, in s; it is no part of the kill.
_DETAIL_S = 3.0

USAGE = """Usage: arbtui kill [--profile NAME|PATH | --all] [--scope SCOPE] [--depth DEPTH] [--reason TEXT] [--state-dir DIR] [--json]
       arbtui kill [--profile NAME|PATH] --drill [--state-dir DIR] [--json]

Close the gate of the profile at once: no order is sent until it is re-armed in the console (key r).
Works while the profile runs, hangs or is stopped. Legs that are open stay as they are. Orders of ours at real venues are
cancelled by the engine, or from here when it is dead or does not answer, or by the profile's guardian where the keys are not found
here; those of others are named and left alone.
The flag is written first; then the engine is signalled, and given one second to confirm.
With one engine running, the name may be left out; --all kills every profile that runs.

--scope exchange.upbit | symbol.XRP | symbol.upbit:XRP | route.XRP:upbit>binance | wallet.upbit:XRP | global
  holds back only that, until `arbtui rearm --scope`, over restarts too (of a wallet: no transfer is planned, less of it is traded,
  and orders pass, whatever the depth). --depth paused or reducing: nothing opens, open cycles are finished;
  halted (the default): nothing is sent there, and its orders of ours are cancelled, from here where no engine does it.
  --depth without --scope means global; global halted is the kill.

--drill rehearses it on a running, armed engine of a sim or paper profile, or of one at a sandbox: a real kill, which the drill takes
  back; it measures the time to the closed gate and from there to the first cancels. `arbtui status` tells how old the last one is.

Exit codes: 0 a running engine's gate is closed, or the flag stands in its way and it has not confirmed yet (what is true is
said, and in the JSON key `confirmed`); 1 the flag is written, but no engine runs on that folder, or it could not be written,
or the scope holds back nothing that runs; 2 wrong usage, or no such profile: nothing was written and NOTHING WAS STOPPED.
"""


@dataclass
class _Wish:
    profile: str = ""
    state_dir: str = ""
    scope: str = ""
    depth: str = ""
    reason: str = ""
    as_json: bool = False
    all: bool = False
    drill: bool = False
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Done:
    """What was done, and its result."""

    name: str
    folder: Path
    written: bool  #: False: there was a flag already, or none could be written
    error: str  #: why no flag could be written; empty when there is one
    answer: Answer | None  #: None: no engine runs
    took_ms: float  #: ms from the flag to the engine's answer
    running: tuple[str, ...] = ()  #: without an engine: the profiles that run in the same state folder, so that a mistyped name is seen
    orders: tuple[str, ...] = ()  #: by venue, what it has confirmed of cancels sent from here, since no engine does it
    by_guardian: tuple[str, ...] = ()  #: the same of cancels that a guardian sent, where those from here were not confirmed
    is_deaf: bool = False  #: the engine's gate is closed, and it answers no request: nobody knows whether it cancels
    detail: str = ""  #: what the engine says of orders at the venues, once its gate was closed; empty when it has not said it in time
    meant: str = ""  #: of those, the one that was probably meant; empty for a name that has run before

    def facts(self) -> dict[str, object]:
        """As JSON can hold it."""
        return _facts(self)

    def report(self, *, quiet: bool) -> int:
        """Report the result; ``quiet`` leaves out what the JSON holds. The exit code."""
        return _report(self, quiet)

    def report_orders(self) -> None:
        """Say what became of the orders at the venues, where anybody knows."""
        if self.orders:
            say(f"orders of {self.name}, cancelled from here: {', '.join(self.orders)}")
        if self.by_guardian:
            say(f"orders of {self.name}, cancelled by its guardian: {', '.join(self.by_guardian)}")
        if self.detail:
            tell_if_read(f"arbtui: orders of {self.name}: {self.detail}\n")


def kill(arguments: Sequence[str]) -> int:
    """Write the flag, signal the engine, report the result; the exit code."""
    try:
        return _kill(arguments)
    except KeyboardInterrupt:
        why = "a flag that was written stands (arbtui status tells); orders may not be cancelled: repeat it for those"
        return _fail(f"interrupted: {why}", 128 + signal.SIGINT)


def _kill(arguments: Sequence[str]) -> int:
    if "--help" in arguments or "-h" in arguments:
        tell_if_read(USAGE)
        return 0
    try:
        wish = _parse(arguments)
        root = state_root(wish.state_dir)
        scope, depth = _narrowed(wish)
        names = targets(wish.profile, root, everything=wish.all)
    except UsageError as error:
        return _fail(str(error), error.exit_code)
    keep_private()
    if wish.drill:
        return _drill(wish, names, root)
    if not names and not os.access(root, os.R_OK | os.X_OK) and os.path.lexists(root):
        return _fail(f"NOTHING WAS STOPPED: {person()} may not look into {root}: repeat it as the user that the engines run as", 1)
    if not names:
        return _fail(f"nothing was stopped: no engine runs in {root}", 1)
    for word in wish.ignored:
        say(f"kill took no notice of {word}")
    done: list[_Done | ScopeDone]
    if scope:
        from arbtui.cli.kill_scope import halt_scope

        halted = [halt_scope(name, profile_folder(root, name), scope, depth, wish.reason, wish.profile or name) for name in names]
        code = max(one.report(quiet=wish.as_json) for one in halted)
        done = [one.with_orders(wish.profile or one.name, root) for one in halted]
    else:
        closings = [_Closing(name, profile_folder(root, name), wish.reason) for name in names]  # every flag before the first answer
        closed = [closing.confirmed() for closing in closings]
        code = max(one.report(quiet=wish.as_json) for one in closed)
        done = [_with_orders(_with_detail(one), wish.profile or one.name, root) for one in closed]
    if wish.as_json:
        told = [one.facts() for one in done]
        tell_if_read(json.dumps(told if wish.all else told[0]) + "\n")
    else:
        for one in done:
            one.report_orders()
    return code


def _drill(wish: _Wish, names: Sequence[str], root: Path) -> int:
    """A rehearsal on a running engine without real money; the exit code."""
    from arbtui.cli.kill_drill import drill

    try:
        if wish.all or wish.scope or wish.depth:
            raise UsageError("kill: --drill rehearses the kill of one profile; leave out --all, --scope and --depth")
        facts = drill(names[0], root)
    except UsageError as error:
        return _fail(str(error), error.exit_code)
    told = json.dumps(facts) if wish.as_json else f"arbtui: drill of {names[0]}: {facts['words']}; it is armed again"
    tell_if_read(f"{told}\n")
    return 0


def _narrowed(wish: _Wish) -> tuple[str, Depth]:
    """The scope and depth that are asked for; the scope is empty for a kill of everything.

    Raises:
        UsageError: no such scope or depth.
    """
    scope = scope_of(wish.scope) if wish.scope else GLOBAL
    depth = depth_of(wish.depth) if wish.depth else Depth.HALTED
    return ("" if scope == GLOBAL and depth is Depth.HALTED else scope), depth


class _Closing:
    """The flag of one profile, written at once; then what its engine says."""

    def __init__(self, name: str, folder: Path, reason: str) -> None:
        self._name, self._folder, self._started = name, folder, time.monotonic()
        self._written, self._failure = False, ""
        try:
            self._written = write_flag(folder, "CLI", reason or "arbtui kill")
        except OSError as error:
            self._failure = error.strerror or str(error)

    def confirmed(self) -> _Done:
        """Signal the engine and wait for its answer."""
        name, folder = self._name, self._folder
        answer = ask(folder)
        took_ms = (time.monotonic() - self._started) * 1000
        others = () if answer is not None else running(folder.parent)
        meant = "" if not can_be_seen(folder) or (folder / LOCK_NAME).exists() else alike(name, others)
        return _Done(name, folder, self._written, self._failure, answer, took_ms, others, meant=meant)


def _with_detail(done: _Done) -> _Done:
    """After the gate: what the engine says of the orders that stood, as soon as it has settled them."""
    if done.answer is None or not done.answer.confirmed:
        return done
    said = halt_detail(done.folder, _DETAIL_S)
    return replace(done, is_deaf=True) if said is None else replace(done, detail=said)


def _with_orders(done: _Done, profile: str, root: Path) -> _Done:
    """Where no engine cancels, or none says so, and real orders may stand: cancel ours from here, or have a guardian do it."""
    if done.answer is not None and done.answer.confirmed and not done.is_deaf:
        return done
    try:
        mode = latest_mode(root, done.name)
    except OSError as error:
        return replace(done, orders=(f"not known whether any stands: {error.filename} cannot be looked into ({error.strerror})",))
    if mode != "live":
        return done
    from arbtui.cli.kill_orders import cancel_wherever

    say("the gate comes first, and is done; cancelling what stands at the venues from here")
    orders, by_guardian = cancel_wherever(profile, done.folder, mode_folder(root, done.name, "live") / "journal.db")
    return replace(done, orders=orders, by_guardian=by_guardian)


def _facts(done: _Done) -> dict[str, object]:
    cause, answer = read_flag(done.folder), done.answer
    return {
        "profile": done.name,
        "folder": str(done.folder),
        "flag": str(done.folder / FLAG_NAME),
        "written": done.written,
        "error": done.error or None,
        "source": cause.source if cause else None,
        "running": answer is not None,
        "pid": answer.pid if answer else None,
        "confirmed": answer is not None and answer.confirmed,
        "detail": done.detail or None,
        "cancelled_here": list(done.orders) or None,
        "cancelled_by_guardian": list(done.by_guardian) or None,
        "confirm_ms": round(done.took_ms, 3) if answer and answer.confirmed else None,
        "process_state": (answer.state or None) if answer else None,
        "why": (answer.why or None) if answer else None,
        "running_there": list(done.running),
        "did_you_mean": done.meant or None,
    }


def _report(done: _Done, quiet: bool) -> int:
    """Report the result; ``quiet`` leaves out what the JSON holds. The exit code."""
    if done.meant:
        return _fail(_mistyped(done), 1)
    if done.error:
        return _fail(_without_flag(done), 1)
    answer = done.answer
    cause = read_flag(done.folder)
    before = "" if done.written else f" (closed already, by {cause.source if cause else 'unknown'})"
    if answer is None:
        hint = f"; running there: {', '.join(done.running)}" if done.running else ""
        stands = f"The kill flag stands there all the same{before}: {done.name} will start halted"
        return _fail(f"nothing was stopped: no engine runs on {done.folder}{hint}. {stands}", 1)
    if quiet:
        return 0
    engine = _engine(answer)
    if answer.confirmed:
        tell_if_read(
            f"arbtui: gate of {done.name} closed, confirmed by the engine ({engine}) in {done.took_ms:.0f} ms{before}. "
            "Open legs stay as they are; re-arm in the console with r\n"
        )
        return 0
    tell_if_read(
        f"arbtui: flag of {done.name} written{before}; the engine ({engine}) has not confirmed within {CONFIRM_S:g} s: {answer.why}. "
        f"It cannot send while it does not run, and looks at the flag before every order{_advice(answer)}\n"
    )
    return 0


def _engine(answer: Answer) -> str:
    return f"pid {answer.pid}" if answer.pid else "its pid is not known"


def _advice(answer: Answer) -> str:
    if answer.state in STOPPED:
        return f". It goes on with: kill -CONT {answer.pid}"
    return ""


def _without_flag(done: _Done) -> str:
    """The report when the flag could not be written."""
    failed, answer = f"the flag {done.folder / FLAG_NAME} could not be written ({done.error})", done.answer
    if answer is None and not can_be_seen(done.folder):
        return f"NOTHING WAS STOPPED: {failed}, and {person()} may not see whether an engine runs there: {_as_its_user(done)}"
    if answer is None:
        return f"{failed}; no engine seems to run there"
    if answer.confirmed:
        return f"{failed}, but the engine ({_engine(answer)}) confirms that its gate is closed; that ends with its process"
    stop = f", or end it: kill -9 {answer.pid}" if answer.pid else ""
    return f"{failed}, and the engine ({_engine(answer)}) has not confirmed: {answer.why}; press ^K in its console{stop}"


def _as_its_user(done: _Done) -> str:
    """How to kill a profile that another user's engine runs on."""
    command = f"arbtui kill --profile {done.name} --state-dir {shlex.quote(str(done.folder.parent))}"
    for place in (done.folder, done.folder.parent):
        try:
            return f"as its user: sudo -u '#{place.stat().st_uid}' {command}"
        except OSError:
            continue
    return f"as the user that it runs as: {command}"


def _mistyped(done: _Done) -> str:
    """The report for a probably mistyped name: what still runs comes first."""
    root = done.folder.parent
    flag = f"the flag {done.folder / FLAG_NAME} could not be written ({done.error})"
    if not done.error:
        flag = f"the kill flag stands in {done.folder} all the same: {done.name} will start halted"
    return (
        f"NOTHING WAS STOPPED, {done.meant} STILL RUNS: no profile named {done.name} has ever run in {root}. "
        f"To stop {done.meant}: arbtui kill --profile {done.meant} --state-dir {shlex.quote(str(root))} "
        f"(running there: {', '.join(done.running)}); {flag}"
    )


def _parse(arguments: Sequence[str]) -> _Wish:
    """Read the flags. Unknown ones are ignored with a note, not refused: the intent to stop is clear."""
    wish, rest = _Wish(), list(arguments)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word == "--json":
            wish.as_json = True
        elif word == "--all":
            wish.all = True
        elif word == "--drill":
            wish.drill = True
        elif name in ("--profile", "--state-dir", "--scope", "--depth", "--reason"):
            if not equals:
                value = rest.pop(0) if rest and not rest[0].startswith("--") else ""
            if not value:
                raise UsageError(f"kill: {name} lacks its value; arbtui kill --profile NAME [--state-dir DIR]")
            setattr(wish, name.strip("-").replace("-", "_"), value)
        elif not word.startswith("-") and not wish.profile:
            wish.profile = word
        else:
            wish.ignored += (word,)
    return wish


def _fail(message: str, code: int) -> int:
    say(message)
    return code
