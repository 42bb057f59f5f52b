"""The filter line of the routes: ``xrp edge>5 state:open !buy:upbit``. Every word must hold.

A word alone is looked for in the symbol, both venues and the state. ``field:text`` looks in one field, ``field>5`` (also
``<  >=  <=  =``) compares a number, ``!`` before a word turns it around.
"""

import difflib
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from arbtui.console.hangul import as_latin
from arbtui.console.words import short_word
from arbtui.views import RouteRow

NUMBERS: dict[str, Callable[[RouteRow], float]] = {
    "edge": lambda row: row.edge_bps,
    "net": lambda row: row.net_bps,
    "size": lambda row: row.size,
    "depth": lambda row: row.depth,
    "age": lambda row: row.age_ms,
    "fills": lambda row: row.fills,
}
"""Numeric fields: edges in bps, sizes in the base asset, age in ms."""

TEXTS: dict[str, Callable[[RouteRow], str]] = {
    "sym": lambda row: row.symbol,
    "buy": lambda row: row.venues[0],
    "sell": lambda row: row.venues[-1],
    "state": lambda row: f"{short_word(row.state)} {row.state}",
}
"""Fields of words."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What the rows of one table can be filtered by, and an example of it."""

    numbers: Mapping[str, Callable[[Any], float]]
    texts: Mapping[str, Callable[[Any], str]]
    example: str


ROUTES = Fields(NUMBERS, TEXTS, "xrp edge>5 state:open net>3 !buy:upbit")
STOCK = Fields(
    {
        "share": lambda row: row.share * 100,
        "runway": lambda row: row.hours,
        "imbalance": lambda row: row.imbalance * 100,
        "value": lambda row: row.value,
    },
    {"asset": lambda row: row.asset, "venue": lambda row: row.emptiest, "state": lambda row: row.word},
    "xrp share<50 runway<2 state:low venue:upbit",
)
"""Of the stock: least share and imbalance in percent, runway in hours, value in the PnL currency; the venue is the emptiest one."""

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
_WORD = re.compile(r"^(?P<field>[a-z]+)(?P<op>>=|<=|>|<|=|:)(?P<value>.*)$")

Test = Callable[[Any], bool]


class QueryError(ValueError):
    """The filter cannot be understood; the text says which word and what would do."""


@dataclass(frozen=True, slots=True)
class Query:
    """A filter ready to run; ``text`` as typed, empty = everything."""

    text: str = ""
    tests: tuple[Test, ...] = ()

    def __call__(self, row: Any) -> bool:
        """True when every word holds for ``row``."""
        return all(test(row) for test in self.tests)


def parse(text: str, fields: Fields = ROUTES) -> Query:
    """Read a filter line for a table with ``fields``.

    What was typed with the Korean input method on is read as the letters that were pressed.

    Raises:
        QueryError: an unknown field, or a number that is none.
    """
    words = as_latin(text).lower().split()
    return Query(" ".join(words), tuple(_parse_word(word, fields) for word in words))


def _parse_word(word: str, fields: Fields) -> Test:
    bare = word.lstrip("!")
    if bare != word:
        if not bare:
            return lambda row: True  # nothing to turn around yet
        test, wanted = _parse_word(bare, fields), (len(word) - len(bare)) % 2 == 0
        return lambda row: test(row) is wanted
    match = _WORD.match(word)
    if match is None:
        return lambda row: any(word in read(row).lower() for read in fields.texts.values())
    field, op, value = match["field"], match["op"], match["value"]
    if field in fields.texts and op in ":=":
        read_text = fields.texts[field]
        return lambda row: value in read_text(row).lower()
    if field in fields.numbers and op != ":":
        try:
            bound = float(value)
        except ValueError:
            raise QueryError(f"{word}: give a number after {op}") from None
        read_number, compare = fields.numbers[field], _COMPARE[op]
        return lambda row: compare(read_number(row), bound)
    known = [*fields.texts, *fields.numbers]
    if field in known:
        raise QueryError(f"{word}: {field}{':text' if field in fields.texts else '>number'} would do")
    close = difflib.get_close_matches(field, known, n=1, cutoff=0.5)
    raise QueryError(f"no {field}; did you mean {close[0]}?" if close else f"no {field}: {' '.join(known)}")
