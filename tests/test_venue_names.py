"""No code but a venue's own folders, and the registry's rows, names a venue: whatever differs is declared (exchanges/venue.py).

Nor does any name a currency: which ones there are is a profile's, and the venues'.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from arbtui.exchanges.venues import VENUES
from tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "arbtui"
REGISTRY = PACKAGE / "exchanges" / "venues.py"
#: Where a venue's folders are.
OF_VENUES = ("exchanges", "simulation", "sandbox")
#: Files that must name venues all the same: what is played where nobody names any, a file format of before there was a choice, and a
#: made-up answer that holds a company's name.
VENUES_NAMED = ("simulation/played_venue.py", "simulation/saved_state.py", "sandbox/won/account_calls.py")
#: Files that must name currencies: what the simulator plays, the journal of before there was a choice, and the rules of one country.
CURRENCIES_NAMED = (
    "simulation/config.py",
    "simulation/market_simulator.py",
    "simulation/played_venue.py",
    "simulation/saved_state.py",
    "runtime/simulate/play.py",
    "journal/events.py",
    "exchanges/won/rails.py",
    "sandbox/won/bodies.py",
)

CURRENCIES = {"USD"} | {quote for venue in VENUES.values() for quote in venue.quotes}
NAME = re.compile("|".join(VENUES), re.IGNORECASE)
#: A text that is a venue's name, or an address of one; names in sentences, ids and examples are for people.
TEXT = re.compile(rf"(?:{NAME.pattern}) | (?:https?|wss?)://\S*(?:{NAME.pattern})\S*", re.IGNORECASE | re.VERBOSE)


def _folders() -> set[str]:
    """The venues' folders: those that declare one."""
    return {path.parent.name for path in (PACKAGE / "exchanges").glob("*/venue.py")}


def _code(*but: str) -> list[Path]:
    own = [PACKAGE / of / folder for of in OF_VENUES for folder in _folders()]
    left_out = {REGISTRY, *(PACKAGE / path for path in but)}
    assert all(path.exists() for path in left_out)
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path not in left_out and not any(path.is_relative_to(one) for one in own)]


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
    files = _code(*VENUES_NAMED)
    assert len(files) > 300
    assert _folders() >= {"binance", "upbit"}
    said = [f"{path.relative_to(PACKAGE)}:{line}: {what}" for path in files for line, what in named(path.read_text())]
    assert said == []


def currencies(source: str) -> Iterator[tuple[int, str]]:
    """(line, which) of every text that is a settlement currency's code and nothing else."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip() in CURRENCIES:
            yield node.lineno, node.value


def test_no_currency_is_named() -> None:
    assert {"KRW", "USDT", "USDC", "USD"} <= CURRENCIES
    files = _code(*CURRENCIES_NAMED)
    said = [f"{path.relative_to(PACKAGE)}:{line}: {what}" for path in files for line, what in currencies(path.read_text())]
    assert said == []
    assert all(list(currencies((PACKAGE / path).read_text())) for path in CURRENCIES_NAMED), "a file that names none needs no exception"
    assert list(currencies('if quote == "KRW": pass\nx = {"USDT": 1}')) == [(1, "KRW"), (2, "USDT")]
    assert not list(currencies('"""Of KRW."""\nraise UsageError("a currency such as USDT")'))


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
