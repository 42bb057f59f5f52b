"""What every test may use."""

import gc
import os
import signal
import sys
from collections.abc import Generator, Iterator, Sequence
from decimal import getcontext
from pathlib import Path
from typing import Any

import pytest

from arbtui.model.money import DIGITS

REPOSITORY = Path(__file__).resolve().parent.parent
_TESTS = (REPOSITORY / "tests").as_posix()

# Tests start about a thousand processes of the program. Without stored bytecode each would compile it anew: 0.5 s of CPU a start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# One machine, many engines at once: metrics are served where a test asks for them, at a port of its own.
METRICS_OFF = ("ARBTUI_METRICS__ENABLED", "false")
os.environ.update([METRICS_OFF])

# Whoever starts the tests in the background of a script has interrupts ignored, and every process of theirs would inherit that.
for _number, _default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _default)

#: Letters of a parameter that a test's name shows.
_LONGEST_ID = 200

#: Files of tests that take longest, the longest first: begun at the end, one of them would keep a single worker busy alone.
LONGEST = (
    "runtime/test_crash_scenario.py",
    "proof/test_proof.py",
    "faults/test_tasks.py",
    "bench/test_bench.py",
    "settings/test_structure.py",
    "deploy/test_end_to_end.py",
    "lifecycle/test_console_input.py",
    "lifecycle/test_live_bithumb.py",
    "lifecycle/test_live.py",
    "lifecycle/test_crash.py",
    "lifecycle/test_random_faults.py",
    "lifecycle/test_status.py",
    "lifecycle/test_stalled_terminal.py",
    "lifecycle/test_full_disk.py",
    "lifecycle/test_decisions.py",
    "lifecycle/test_determinism.py",
    "lifecycle/test_kill_scope_orders.py",
    "proof/test_mutants.py",
)
#: Tests that wait for a clock, a socket or a process most of the time; the shortest last.
WAITING = ("lifecycle/", "faults/")
#: Of all others, which come first.
BUSY = ("execution/test_cycle_life.py", "runtime/", "monitoring/", "cli/", "console/")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the tests, longest files first, and let one worker run all that share a module's fixture."""
    longest = [item for item in items if _place(item, LONGEST) < len(LONGEST)]
    others = [item for item in items if _place(item, LONGEST) == len(LONGEST)]
    waiting = sorted((item for item in others if _place(item, WAITING) < len(WAITING)), key=lambda item: _place(item, WAITING))
    busy = sorted((item for item in others if _place(item, WAITING) == len(WAITING)), key=lambda item: _place(item, BUSY))
    mixed = _spread(waiting, busy) if hasattr(config, "workerinput") else [*waiting, *busy]
    items[:] = [*sorted(longest, key=lambda item: _place(item, LONGEST)), *mixed]
    for item in items:
        known: dict[str, Any] = getattr(item, "_fixtureinfo").name2fixturedefs  # noqa: B009
        if any(fixture.scope == "module" for fixtures in known.values() for fixture in fixtures):
            item.add_marker(pytest.mark.xdist_group(item.path.name))


def _place(item: pytest.Item, starts: Sequence[str]) -> int:
    """Which of ``starts`` the file of ``item`` begins with; their number when with none."""
    path = item.path.as_posix().removeprefix(f"{_TESTS}/")
    return next((number for number, start in enumerate(starts) if path.startswith(start)), len(starts))


def _spread(*parts: Sequence[pytest.Item]) -> list[pytest.Item]:
    """All of ``parts``, each evenly over the whole: while some workers wait, others keep the cores busy."""
    placed = [((number + 0.5) / len(part), item) for part in parts for number, item in enumerate(part)]
    return [item for _, item in sorted(placed, key=lambda one: one[0])]


def pytest_configure() -> None:
    """How long an example takes says how busy the machine is, nothing of the program: as in CI, where Hypothesis does so by itself."""
    from hypothesis import HealthCheck, settings  # not at the top: children of the bench load this file, too

    if settings.get_current_profile_name() == "default":
        settings.register_profile("any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
        settings.load_profile("any_machine")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Cut what a long text would make of a test's name, which every worker tells the controller and hands to its children."""
    return f"{val[:_LONGEST_ID]!r} and more" if isinstance(val, str | bytes) and len(val) > _LONGEST_ID else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Loading every test makes a million objects that stay: the garbage collector looks through them once, and then no more."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _digits() -> None:
    """Money is added up in as many digits as in a session and on the command line."""
    getcontext().prec = DIGITS


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded market data that developers keep beside the repository; absent elsewhere, and then skipped."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no recorded data: {folder} is absent")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home folder with the platform's own places inside, nothing of arbtui in the environment, the umask kept."""
    for variable in [name for name in os.environ if name.startswith("ARBTUI_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv(*METRICS_OFF)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")  # child processes stay out of the developer's own
    before = os.umask(0o022)
    yield folder
    os.umask(before)
