"""``arbtui kill``: closes the gate from another shell. Standard library only: it must work when everything else fails.

The flag is written first, from the profile's *name*; the profile itself is not read, so a broken one can be killed too.
Then the engine is signalled, and its confirmation, or the lack of one, is reported.

A mistyped name makes a flag that stops no engine. It is written all the same: a mistake can only be guessed, a flag
too many costs one re-arming, and a kill that was refused on a guess could cost everything. But the operator must not
believe that it worked. So for a name that has never run here and resembles a running one, the answer names that one
first, with the command to stop it. The resemblance is checked last, after everything that stops trading.
"""

import json
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from arbtui.model.errors import UsageError
from arbtui.model.halt import FLAG_NAME, read_flag, write_flag
from arbtui.settings.kill_signal import CONFIRM_S, Answer, ask
from arbtui.settings.lock import LOCK_NAME, holder
from arbtui.settings.output import say, tell
from arbtui.settings.process import STOPPED
from arbtui.settings.state import keep_private, profile_folder, profile_name, state_root

USAGE = """Usage: arbtui kill --profile NAME|PATH [--state-dir DIR] [--json]

Close the gate of the profile at once: no order is sent until it is re-armed in the console (key r).
Works while the profile runs, hangs or is stopped. Orders and legs that are open stay as they are.
The flag is written first; then the engine is signalled, and given one second to confirm.

Exit codes: 0 a running engine's gate is closed, or the flag stands in its way and it has not confirmed yet (what is true is
said, and in the JSON key `confirmed`); 1 the flag is written, but no engine runs on that folder (or the flag could not be
written); 2 wrong usage, or a name that has never run there and is much like one that runs: the flag is written, but NOTHING
WAS STOPPED, and what still runs is named.
"""


@dataclass
class _Wish:
    profile: str = ""
    state_dir: str = ""
    as_json: bool = False
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
    meant: str = ""  #: of those, the one that was probably meant; empty for a name that has run before


def kill(arguments: Sequence[str]) -> int:
    """Write the flag, signal the engine, report the result; the exit code."""
    if "--help" in arguments:
        tell(USAGE)
        return 0
    try:
        wish = _parse(arguments)
        name = profile_name(wish.profile)
    except UsageError as error:
        return _fail(str(error), error.exit_code)
    keep_private()
    done = _close_gate(name, profile_folder(state_root(wish.state_dir), name))
    for word in wish.ignored:
        say(f"kill took no notice of {word}")
    if wish.as_json:
        tell(json.dumps(_facts(done)) + "\n")
    return _report(done, wish.as_json)


def _close_gate(name: str, folder: Path) -> _Done:
    started = time.monotonic()
    written, failure = False, ""
    try:
        written = write_flag(folder, "CLI", "arbtui kill")
    except OSError as error:
        failure = error.strerror or str(error)
    answer = ask(folder)
    took_ms = (time.monotonic() - started) * 1000
    running = () if answer is not None else _running(folder.parent)
    meant = "" if (folder / LOCK_NAME).exists() else _like(name, running)
    return _Done(name, folder, written, failure, answer, took_ms, running, meant)


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
        tell(
            f"arbtui: gate of {done.name} closed, confirmed by the engine ({engine}) in {done.took_ms:.0f} ms{before}. "
            "Open legs stay as they are; re-arm in the console with r\n"
        )
        return 0
    tell(
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
    if answer is None:
        return f"{failed}; no engine seems to run there"
    if answer.confirmed:
        return f"{failed}, but the engine ({_engine(answer)}) confirms that its gate is closed; that ends with its process"
    stop = f", or end it: kill -9 {answer.pid}" if answer.pid else ""
    return f"{failed}, and the engine ({_engine(answer)}) has not confirmed: {answer.why}; press ^K in its console{stop}"


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


def _running(root: Path) -> tuple[str, ...]:
    """The profiles that an engine runs on at this moment."""
    try:
        return tuple(sorted(folder.name for folder in root.iterdir() if holder(folder) is not None))
    except OSError:
        return ()


def _like(name: str, running: Sequence[str]) -> str:
    """The one of ``running`` that ``name`` probably means; empty when none is similar."""
    if not running:
        return ""
    from difflib import get_close_matches

    folded = {one.casefold(): one for one in running}
    return next((folded[one] for one in get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)), "")


def _parse(arguments: Sequence[str]) -> _Wish:
    """Read the flags. Unknown ones are ignored with a note, not refused: the intent to stop is clear."""
    wish, rest = _Wish(), list(arguments)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word == "--json":
            wish.as_json = True
        elif name in ("--profile", "--state-dir"):
            if not equals:
                value = rest.pop(0) if rest and not rest[0].startswith("--") else ""
            if not value:
                raise UsageError(f"kill: {name} lacks its value; arbtui kill --profile NAME [--state-dir DIR]")
            setattr(wish, name.strip("-").replace("-", "_"), value)
        elif not word.startswith("-") and not wish.profile:
            wish.profile = word
        else:
            wish.ignored += (word,)
    if not wish.profile:
        raise UsageError("kill: which profile? arbtui kill --profile NAME [--state-dir DIR]")
    return wish


def _fail(message: str, code: int) -> int:
    say(message)
    return code
