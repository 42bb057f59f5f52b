"""The guardian of one profile: looks five times a second, kills what is lost, and cancels what nobody else cancels.

It holds the venues' keys, if it could be given any, from its start on, so a kill can cancel where neither the engine nor
`arbtui kill` can. It opens nothing at a venue before it must cancel.
"""

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

from arbtui.journal.open_items import read_open_items
from arbtui.model.clock import iso_ms
from arbtui.model.errors import ArbtuiError, UsageError
from arbtui.model.halt import FLAG_NAME, read_flag, write_flag
from arbtui.model.scoped_halts import GLOBAL, Depth, read_halts
from arbtui.monitoring.redact import redact
from arbtui.runtime.cancel_alone import cancel_alone
from arbtui.runtime.guardian.watch import Alarm, Sight, Watch
from arbtui.settings.guardian_post import GuardianWord, guardian_folder, make_post, write_word
from arbtui.settings.halt_detail import halt_detail
from arbtui.settings.heartbeat import read_heartbeat
from arbtui.settings.kill_signal import ask as signal_engine
from arbtui.settings.load import load_profile
from arbtui.settings.lock import guardian_lock, holder
from arbtui.settings.output import say
from arbtui.settings.own_keys import OwnKeys
from arbtui.settings.process import STOPPED, process_facts
from arbtui.settings.profile import Settings
from arbtui.settings.requests import pending
from arbtui.settings.state import latest_mode, mode_folder, profile_folder

SOURCE = "GUARDIAN"
_LOOK_S = 0.2
_WORD_S = 1.0
#: How long an engine may take to confirm that its gate is closed, and a stopped one, which cannot, in s.
_CONFIRM_S = 3.0
_CONFIRM_STOPPED_S = 0.1
#: How long an engine that was killed is given to answer that it cancels, in s; how long all of our own cancelling may take.
_ANSWER_S = 3.0
_CANCEL_S = 60.0
#: Before what could not be cancelled, or what an engine is still at, is looked at again, in s.
_AGAIN_S = 5.0
#: How long the kernel may take to end a process, in s.
_END_S = 5.0


class Guardian:
    """Watches a profile below the state folder ``root`` until a signal ends it.

    Args:
        settings: the profile's, in mode live, as they were at the start; read anew before cancelling, where they can be.
        keys: by venue; ``lacks``: of each other venue, why there are none.
    """

    def __init__(self, root: Path, settings: Settings, keys: OwnKeys, lacks: dict[str, str]) -> None:
        self._root = root
        self._settings = settings
        self._name = settings.name
        self._folder = profile_folder(root, settings.name)
        self._keys = keys
        self._lacks = lacks
        self._watch = Watch(settings.guardian.heartbeat_s)
        self._since_ms = time.time_ns() // 1_000_000
        self._last = ""
        self._ended_by = 0
        self._again_at: float | None = None
        self._worded_at = 0.0

    def run(self) -> int:
        """Watch; the exit code of the signal that ended it.

        Raises:
            AlreadyRunning: another guardian watches this profile.
            UsageError: its folder cannot be written.
        """
        try:
            folder = make_post(self._folder)
        except OSError as error:
            raise UsageError(f"{guardian_folder(self._folder)} cannot be written ({error.strerror or error})") from None
        with guardian_lock(folder):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, self._on_signal)
            for _, answer in pending(folder):  # asked of a guardian that is gone
                answer({"refusal": "the guardian that was asked has ended"})
            say(f"guardian of {self._name}: watches {self._folder}, pid {os.getpid()}; {self._keys_in_words()}")
            while not self._ended_by:
                self._turn(folder)
                time.sleep(_LOOK_S)
        return 128 + self._ended_by

    def _turn(self, folder: Path) -> None:
        if self._again_at is not None and time.monotonic() >= self._again_at:
            self._again_at = None
            self._watch.again()
        sight = self._see()
        alarm = self._watch.look(sight)
        self._tell_word(sight, force=alarm is not None)
        match alarm:
            case Alarm.FLAG:
                self._on_flag()
            case Alarm.LOST:
                self._on_lost(sight)
            case Alarm.DIED:
                self._on_died(sight)
        for request, answer in pending(folder):
            answer(self._answer(str(request.get("verb")), str(request.get("scope") or GLOBAL)))

    def _see(self) -> Sight:
        pid = holder(self._folder)
        started = (process_facts(pid).started or "-") if pid else "-"
        return Sight(time.monotonic(), _boottime(), pid, started, read_heartbeat(self._folder), self._flag())

    def _flag(self) -> object | None:
        try:
            facts = os.lstat(self._folder / FLAG_NAME)
        except OSError:
            return None
        return (facts.st_ino, facts.st_mtime_ns)

    # what is done

    def _on_flag(self) -> None:
        cause = read_flag(self._folder)
        say(f"guardian of {self._name}: killed by {cause.source if cause else 'unknown'}")
        self._settle(ask_engine=True)

    def _on_lost(self, sight: Sight) -> None:
        beat, pid = sight.beat, sight.pid
        assert beat is not None
        assert pid is not None
        why = f"no heartbeat for {self._watch.silent_s:.1f} s (pid {pid}, {beat.phase})"
        self._close(why)
        state = process_facts(pid).state
        answer = signal_engine(self._folder, _CONFIRM_STOPPED_S if state in STOPPED else _CONFIRM_S)
        if answer is None:
            ended = "it has ended"
        elif answer.confirmed:
            ended = "its gate is closed"
        elif answer.state in STOPPED:
            ended = "it is stopped, and cannot send: the flag is in its way when it goes on"
        else:
            ended = self._end(pid, sight.started)
        self._remember(f"{why}: gate closed, {ended}")
        self._settle(ask_engine=False)

    def _on_died(self, sight: Sight) -> None:
        beat = sight.beat
        assert beat is not None
        orders = self._orders_left()
        if not orders:
            self._remember(f"the engine (pid {beat.pid}, {beat.phase}) has died; no order was open")
            return
        why = f"the engine (pid {beat.pid}, {beat.phase}) has died with {orders}"
        self._close(why)
        self._remember(why)
        self._settle(ask_engine=False)

    def _close(self, why: str) -> None:
        """The flag first: whatever the engine still does, nothing leaves."""
        try:
            write_flag(self._folder, SOURCE, why)
        except OSError as error:
            say(f"guardian of {self._name}: the flag {self._folder / FLAG_NAME} could not be written ({error.strerror or error})")
        self._watch.knows(self._flag())

    def _end(self, pid: int, started: str) -> str:
        """End the process that has not confirmed, if it is still the one that was seen; in words."""
        if holder(self._folder) != pid or (process_facts(pid).started or "-") != started:
            return "it has ended"
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError as error:
            return f"it does not confirm, and cannot be ended ({error.strerror})"
        give_up_at = time.monotonic() + _END_S
        while time.monotonic() < give_up_at:
            if holder(self._folder) is None:
                return "it did not confirm, and was ended (SIGKILL)"
            time.sleep(0.01)
        return "it does not confirm, and the kernel has not ended it yet"

    def _orders_left(self) -> str:
        """The orders that the journal holds open, in words; empty when none. A journal that cannot be read may hold any."""
        try:
            mode = latest_mode(self._root, self._name)
            if mode is None:
                return ""
            count = read_open_items(mode_folder(self._root, self._name, mode) / "journal.db").open_orders
        except (UsageError, OSError) as error:
            return f"a journal that cannot be read ({error})"
        return f"{count} order{'s' if count > 1 else ''} open" if count else ""

    def _settle(self, *, ask_engine: bool) -> None:
        """See to it that nothing of ours stands at a venue: the engine does it, or else we do, again while it is not confirmed."""
        with suppress(OSError):  # where it cannot be seen, orders may stand
            if latest_mode(self._root, self._name) != "live":
                return
        if ask_engine and holder(self._folder) is not None:
            said = halt_detail(self._folder, _ANSWER_S)
            if said:
                self._remember(f"the engine has settled its orders: {said}")
                return
            if said is not None:  # it is at it
                self._again_at = time.monotonic() + _AGAIN_S
                return
        words, is_confirmed = self._cancel()
        self._remember(f"orders: {', '.join(words)}")
        if not is_confirmed and self._keys:
            self._again_at = time.monotonic() + _AGAIN_S

    def _cancel(self, scope: str = GLOBAL) -> tuple[list[str], bool]:
        """Cancel what is ours, of ``scope`` alone; what each venue has confirmed, in words, and whether all have."""
        if not self._keys:
            return [f"none was cancelled: {next(iter(self._lacks.values()), 'no keys')}"], False
        settings = self._settings
        with suppress(UsageError):
            settings = load_profile(str(settings.path.absolute()), {"mode": "live"})
        keys = {name: holder for name, holder in self._keys.items() if name in settings.exchanges}
        journal = mode_folder(self._root, self._name, "live") / "journal.db"
        try:
            cleared = asyncio.run(asyncio.wait_for(cancel_alone(settings, keys, self._lacks, scope, journal), _CANCEL_S))
        except (ArbtuiError, OSError, TimeoutError) as error:
            return [f"none was cancelled: {redact(str(error)) or type(error).__name__}"], False
        return [redact(one.in_words()) for one in cleared], all(one.is_confirmed for one in cleared)

    def _answer(self, verb: str, scope: str) -> dict[str, object]:
        """What `arbtui kill` asks of a guardian; it cancels only where a kill or a halt stands."""
        if verb != "cancel":
            return {"refusal": f"this guardian knows no request {verb!r}"}
        halts, _ = read_halts(self._folder)
        stands = any(halt.scope == scope and halt.depth is Depth.HALTED for halt in halts)
        if not stands and (scope != GLOBAL or self._flag() is None):
            return {"refusal": f"nothing halts {scope}: a guardian cancels nothing else"}
        words, is_confirmed = self._cancel(scope)
        self._remember(f"asked by arbtui kill ({scope}); orders: {', '.join(words)}")
        return {"refusal": None, "orders": words, "confirmed": is_confirmed}

    # what is told

    def _remember(self, what: str) -> None:
        self._last = f"{iso_ms(time.time_ns() // 1_000_000)} {what}"
        say(f"guardian of {self._name}: {what}")

    def _tell_word(self, sight: Sight, *, force: bool) -> None:
        if not force and sight.monotonic - self._worded_at < _WORD_S:
            return
        self._worded_at = sight.monotonic
        sources = {name: one.current().source for name, one in self._keys.items()}
        now_ms = time.time_ns() // 1_000_000
        write_word(
            self._folder, GuardianWord(os.getpid(), self._since_ms, now_ms, sources, self._lacks, self._seen_in_words(sight), self._last)
        )

    def _seen_in_words(self, sight: Sight) -> str:
        beat = sight.beat
        if sight.pid is None:
            return "no engine"
        if beat is None or beat.pid != sight.pid:
            return f"an engine (pid {sight.pid or 'not known'}) without a heartbeat: it cannot be watched"
        return f"an engine (pid {beat.pid}) {beat.phase}, last decision {self._watch.silent_s:.1f} s ago"

    def _keys_in_words(self) -> str:
        held = f"holds keys of {', '.join(self._keys)}" if self._keys else "holds no keys, so it can close the gate and cannot cancel"
        return f"{held}{''.join(f'; {why}' for why in self._lacks.values())}"

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._ended_by = number


def _boottime() -> float:
    """Seconds since the machine's start, its sleep included; where the platform does not tell, :func:`time.monotonic`."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
