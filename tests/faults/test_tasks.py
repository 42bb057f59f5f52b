"""F54: an error in each task of a live session that lives as long as it, in turn: none dies in silence."""

import asyncio
import contextvars
import logging
from collections.abc import Coroutine, Generator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.desk import Desk, desk, play, until

#: How the log tells of the error: its words and its class begin alike.
WORDS = "Planted"
#: What aiohttp swallows inside of a socket's receive is told as the end of that connection.
CUT = "connecting again"
#: s after which a task that sleeps is woken for its error.
_SLEEPS_S = 1.0
_OURS: contextvars.ContextVar[bool] = contextvars.ContextVar("ours", default=False)


class Planted(RuntimeError):
    """An error that nobody foresees."""


class Thrower(Coroutine[Any, Any, Any]):
    """A coroutine into which an error can be thrown where it waits."""

    def __init__(self, inner: Coroutine[Any, Any, Any]) -> None:
        self.inner = inner
        self.is_armed = False
        self.was_thrown = False

    def send(self, value: Any) -> Any:
        return self._planted() if self.is_armed else self.inner.send(value)

    def throw(self, *error: Any) -> Any:
        return self._planted() if self.is_armed else self.inner.throw(*error)

    def _planted(self) -> Any:
        self.is_armed, self.was_thrown = False, True
        return self.inner.throw(Planted("Planted by the test"))

    def close(self) -> None:
        self.inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.inner.__await__()


class Tasks:
    """Makes every task of the loop; knows those that a session has made, by name."""

    def __init__(self) -> None:
        self.made: dict[asyncio.Task[Any], Thrower] = {}

    def __call__(self, loop: asyncio.AbstractEventLoop, work: Any, *, name: Any = None, context: Any = None, **more: Any) -> Any:
        context = contextvars.copy_context() if context is None else context
        if _qualname(work) == "Session.run":
            context.run(_OURS.set, True)
        elif context.get(_OURS) and asyncio.iscoroutine(work) and _qualname(work) != "Event.wait":  # has nothing that could fail
            work = Thrower(work)
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, name=name, context=context, **more)
        if isinstance(work, Thrower):
            self.made = {one: thrower for one, thrower in self.made.items() if not one.done()}
            self.made[task] = work
        return task

    def alive(self) -> dict[str, asyncio.Task[Any]]:
        """Those that run, by name; of several of one name the newest."""
        return {_name(task, thrower): task for task, thrower in self.made.items() if not task.done()}


def _name(task: asyncio.Task[Any], thrower: Thrower) -> str:
    name = task.get_name()
    return _qualname(thrower.inner) if name.startswith("Task-") else name


def _qualname(work: object) -> str:
    return getattr(work, "__qualname__", "")


def _only_waits(thrower: Thrower) -> bool:
    """Whether it does nothing but wait for a group of tasks, in a place where nothing is ever raised but a cancellation."""
    work: Any = thrower.inner
    while work is not None:
        if _qualname(work) == "TaskGroup.__aexit__":
            return True
        work = getattr(work, "cr_await", None)
    return False


async def long_lived(d: Desk, tasks: Tasks) -> list[str]:
    """The names of the tasks that live as long as the session: those that several cycles have not ended."""
    before = set(tasks.alive().items())
    await d.cycles(3)
    return sorted(name for name, task in before & set(tasks.alive().items()) if not _only_waits(tasks.made[task]))


def is_told(caplog: pytest.LogCaptureFixture) -> bool:
    """Whether the log warns of the error, or of the connection that it ended."""
    return any(
        record.levelno >= logging.WARNING and (WORDS in record.getMessage() or CUT in record.getMessage()) for record in caplog.records
    )


async def meets(d: Desk, tasks: Tasks, name: str, caplog: pytest.LogCaptureFixture) -> str:
    """Throw the error into the task of that name; what became of it, and of the session."""
    running = d._running
    assert running is not None
    task = tasks.alive()[name]
    thrower = tasks.made[task]
    caplog.clear()
    thrower.is_armed = True
    try:
        await until(lambda: thrower.was_thrown, "it wakes by itself", _SLEEPS_S)
    except AssertionError:
        task.cancel()  # wakes it, with the error in the place of the cancellation
        task.uncancel()
        await until(lambda: thrower.was_thrown, "it is woken")
    await until(lambda: running.done() or is_told(caplog), f"{name}: the error is told", 30.0)
    if task.done():  # then what it belongs to ends with it, or starts it again
        await until(lambda: running.done() or name in tasks.alive(), f"{name}: it runs again, or nothing does", 30.0)
    if running.done():
        return f"the session ended with {running.result()}"
    return "goes on"


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_f54_an_error_in_a_task_ends_the_run_or_is_told_and_survived(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def main() -> None:
        tasks = Tasks()
        asyncio.get_running_loop().set_task_factory(tasks)
        async with desk(tmp_path / "names") as d:
            names = await long_lived(d, tasks)
        assert {"housekeeping", "snapshots", "positions", "feed", "heartbeat", "writer of journal.db"} & set(names)
        while names:
            async with desk(tmp_path / names[-1]) as d:
                await d.cycles(1)
                while names and d.session is not None:
                    await survives(d, tasks, names.pop(), caplog)
                if d.session is None:
                    (d.folder / "kill.flag").unlink(missing_ok=True)  # stands for the person who re-arms
                    await d.start()
                await d.agree()

    play(main)


async def survives(d: Desk, tasks: Tasks, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Throw the error into that task: the run ends with a code, or trading goes on; in both cases it is told."""
    became = await meets(d, tasks, name, caplog)
    print(f"{name}: {became}")
    assert is_told(caplog), f"{name} died in silence"
    if became == "goes on":
        await d.cycles(1)
    else:
        assert became.rpartition(" ")[2] in ("1", "3"), f"{name}: {became}"
        assert await d.stop() in (1, 3)
