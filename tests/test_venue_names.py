"""No code but a venue's own folders, and the registry's rows, names a venue: whatever differs is declared (exchanges/venue.py)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from arbtui.exchanges.venues import VENUES
from tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "arbtui"
REGISTRY = PACKAGE / "exchanges" / "venues.py"
#: Read by the simulator and the sandbox, and not free of names yet.
NOT_YET = ("runtime/venues.py", "runtime/simulate/play.py", "cli/sandbox.py")

NAME = re.compile("|".join(VENUES), re.IGNORECASE)
#: A text that is a venue's name, or an address of one; names in sentences, ids and examples are for people.
TEXT = re.compile(rf"(?:{NAME.pattern}) | (?:https?|wss?)://\S*(?:{NAME.pattern})\S*", re.IGNORECASE | re.VERBOSE)


def _folders() -> set[str]:
    """The venues' folders: those that declare one."""
    return {path.parent.name for path in (PACKAGE / "exchanges").glob("*/venue.py")}


def _code() -> list[Path]:
    own = [PACKAGE / "simulation", PACKAGE / "sandbox", *(PACKAGE / "exchanges" / folder for folder in _folders())]
    but = {REGISTRY, *(PACKAGE / path for path in NOT_YET)}
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path not in but and not any(path.is_relative_to(folder) for folder in own)]


def named(source: str) -> Iterator[tuple[int, str]]:
    """(line, what) of every venue that code names: in an identifier, an import, or a text that is its name or its address."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and TEXT.fullmatch(node.value.strip()):
            yield line, repr(node.value)
        for field in ("id", "attr", "name", "arg", "module", "asname"):
            said = getattr(node, field, None)
            if isinstance(said, str) and NAME.search(said):
                yield line, said


def test_no_venue_is_named() -> None:
    files = _code()
    assert len(files) > 300
    assert _folders() >= {"binance", "upbit"}
    said = [f"{path.relative_to(PACKAGE)}:{line}: {what}" for path in files for line, what in named(path.read_text())]
    assert said == []


@pytest.mark.parametrize(
    "line",
    [
        'if name == "upbit": pass',
        'rates = {"BINANCE": 1}',
        'where = ("upbit", "KRW-USDT")',
        "from arbtui.exchanges.binance.rules import linear_market",
        "from somewhere import rules as upbit_rules",
        "binance = 1",
        "def upbit_code(): pass",
        "venues.upbit",
        'url = "https://api.upbit.com"',
    ],
)
def test_the_pattern_finds_what_it_is_for(line: str) -> None:
    assert list(named(line))


@pytest.mark.parametrize(
    "line",
    [
        '"""Binance closes at 24 h."""',
        "x = 1  # Upbit tells one asset at a time",
        'raise UsageError("a scope, as in exchange.upbit")',
        'EXAMPLE = "upbit-binance"',
        'def f():\n    """``upbit REDUCING``."""',
    ],
)
def test_the_pattern_leaves_sentences_examples_and_citations(line: str) -> None:
    assert not list(named(line))
