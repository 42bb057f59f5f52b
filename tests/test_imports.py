"""What loads what: nothing below the console loads Textual or Rich, and the command line is light until a command runs."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "arbtui"
PYPROJECT = (REPOSITORY / "pyproject.toml").read_text()
ABOVE = ("cli", "runtime", "settings", "console", "__main__")
FLOORS = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
BELOW = sorted(FLOORS - {"__init__", *ABOVE})


def loaded_by(program: str, *names: str) -> set[str]:
    """Which of ``names`` are loaded once ``program`` ran in a process of its own."""
    report = f"{program}\nimport sys\nprint(' '.join(name for name in {names!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", report], cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def modules_of(floor: str) -> list[str]:
    folder = PACKAGE / floor
    files = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    dotted = [".".join(path.relative_to(REPOSITORY).with_suffix("").parts) for path in files]
    return [name.removesuffix(".__init__") for name in dotted]


def test_nothing_below_the_console_loads_textual_or_rich() -> None:
    """One process loads them all, the lowest floor first, so that each is loaded from its own first module on, as alone."""
    (ladder,) = [one for one in tomllib.loads(PYPROJECT)["tool"]["importlinter"]["contracts"] if one["id"] == "ladder"]
    floors = [name for layer in reversed(ladder["layers"]) for name in re.findall(r"\w+", layer) if name not in ABOVE]
    assert {*floors, "simulation", "sandbox"} == set(BELOW)
    heavy = ("textual", "rich", "telegram", "ccxt")
    program = "import sys\n" + "".join(
        f"import {module}\nassert not (found := [name for name in {heavy} if name in sys.modules]), ('{module}', found)\n"
        for floor in (*floors, "simulation", "sandbox")
        for module in modules_of(floor)
    )
    assert loaded_by(program, *heavy, "arbtui.engine.engine") == {"arbtui.engine.engine"}


def test_the_probe_sees_what_is_loaded() -> None:
    assert loaded_by("import textual", "textual", "rich", "ccxt") == {"textual", "rich"}


def test_settings_load_no_console_and_no_simulator() -> None:
    program = "from arbtui.settings.load import load_profile\nload_profile('upbit-binance')"
    loaded = loaded_by(program, "textual", "rich", "arbtui.console.app", "arbtui.simulation.market_simulator", "aiosqlite", "ccxt")
    assert loaded == set()


def test_the_entry_point_is_light() -> None:
    assert loaded_by("import arbtui.cli", "typer", "pydantic", "textual", "asyncio", "arbtui.settings") == set()


def test_parsing_loads_no_engine() -> None:
    assert loaded_by("import arbtui.cli.app", "pydantic", "textual", "asyncio", "sqlite3", "arbtui.runtime") == set()


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("arbtui.views.status", ("arbtui.engine", "arbtui.execution", "arbtui.risk", "arbtui.routes.finder")),
        ("arbtui.runtime.guardian.guardian", ("arbtui.engine.engine", "arbtui.runtime.session", "arbtui.simulation.paper")),
        ("arbtui.runtime.supervisor.supervisor", ("arbtui.engine.engine", "arbtui.runtime.session")),
        ("arbtui.journal.automatic_backup", ("asyncio", "aiosqlite", "pydantic")),
        ("arbtui.portfolio.ledger", ("asyncio", "aiosqlite", "pydantic", "arbtui.engine")),
    ],
)
def test_what_runs_beside_an_engine_loads_none(module: str, absent: tuple[str, ...]) -> None:
    """Each of these is a process of its own that is started often, or must be up soon."""
    assert loaded_by(f"import {module}", *absent) == set()


def test_the_collector_waits_for_the_imports_and_is_then_as_frequent_as_ever() -> None:
    program = """
import gc, sys
import arbtui.cli, arbtui.cli.run
usual, seen = gc.get_threshold(), []
def command(arguments):
    seen.append(gc.get_threshold()[0])
    kept = [[] for _ in range(2 * seen[0])]
    return 0
arbtui.cli.run.run = command
arbtui.cli.main()
assert seen[0] > usual[0], "nothing waits"
assert gc.get_threshold() == usual and not gc.callbacks, (gc.get_threshold(), gc.callbacks)
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=REPOSITORY)


def test_time_and_chance_come_from_clock_and_rng_only() -> None:
    """Virtual time and replay hold only while nobody else asks the machine for the time or for a random number."""
    allowed = {"model/clock.py", "model/rng.py", "model/ids.py", "model/halt.py", "model/scoped_halts.py", "model/virtual_loop.py"}
    asked = {
        str(path.relative_to(PACKAGE))
        for floor in ("engine", "failover", "execution", "risk", "portfolio", "routes", "marketdata", "exchanges", "simulation", "model")
        for path in sources(PACKAGE / floor)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in MACHINE
    }
    assert asked - allowed == set()


#: Calls that read the machine's clock or its randomness (CPU time is measured, not journaled).
MACHINE = {
    ("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today"),
    ("random", "random"), ("random", "choice"), ("random", "randint"), ("random", "shuffle"), ("os", "urandom"),
    ("uuid", "uuid4"), ("uuid", "uuid1"), ("secrets", "token_hex"), ("secrets", "token_bytes"),
}  # fmt: skip


def sources(floor: Path) -> list[Path]:
    found = sorted(floor.rglob("*.py"))
    assert found, f"{floor} is no floor: a check of nothing finds nothing"
    return found


def test_hashing_does_not_order_anything(tmp_path: Path) -> None:
    """The order of settings is the same whatever the seed of Python's string hashing."""
    program = "from arbtui.settings.load import load_profile; from arbtui.settings.keys import all_keys\n"
    program += "print(load_profile('upbit-binance').model_dump_json(), list(all_keys()))"
    printed = {
        subprocess.run(
            [sys.executable, "-c", program], cwd=REPOSITORY, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(printed) == 1


@pytest.mark.parametrize("folder", ["cli", "settings", "runtime", "monitoring", "sandbox"])
def test_only_one_place_writes_to_standard_output_and_error(folder: str) -> None:
    """`settings/output.py`, which makes harmless what it writes; and the last line of defence, which does so itself."""
    writes = re.compile(r"std(out|err)\.write\(|\bprint\(|typer\.echo\(|\.stdout\.buffer|print_exc\(")
    found = [
        f"{path.name}: {line.strip()}"
        for path in sorted((REPOSITORY / "arbtui" / folder).rglob("*.py"))
        if path.name != "output.py"
        for line in path.read_text(encoding="utf-8").splitlines()
        if writes.search(line) and "printable(" not in line and "Console(" not in line
    ]
    assert found == []
