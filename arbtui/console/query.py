"""The filter line of the routes: ``shape:triangular venue:upbit edge>5 asset:XRP !state:open``. Every word must hold.

A word alone is looked for in the symbol, all venues, the shape and the state. ``field:text`` looks in one field, ``field>5`` (also
``<  >=  <=  =``) compares a number, ``!`` before a word turns it around.
"""

import difflib
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
    "health": lambda row: row.health * 100,
}
"""Numeric fields: edges in bps, sizes in the base asset, age in ms, health in percent."""

TEXTS: dict[str, Callable[[RouteRow], str]] = {
    "sym": lambda row: row.symbol,
    "buy": lambda row: row.venues[0],
    "sell": lambda row: row.venues[-1],
    "venue": lambda row: " ".join(row.venues),
    "asset": lambda row: " ".join(row.assets or (row.symbol,)),
    "shape": lambda row: row.shape,
    "state": lambda row: f"{short_word(row.state)} {row.state}",
}
"""Fields of words; ``asset`` is any that the route trades, quote currencies too."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What the rows of one table can be filtered by, and an example of it.

    ``plain``: the fields that a word alone is looked for in, ``told``: those that an unknown one is answered with (empty: all).
    ``values``: of fields of which every value is known, these.
    """

    numbers: Mapping[str, Callable[[Any], float]]
    texts: Mapping[str, Callable[[Any], str]]
    example: str
    plain: Sequence[str] = ()
    told: Sequence[str] = ()
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)


SHAPES = ("two_leg", "triangular", "split_leg", "multi_hop", "cross_chain")
"""What ``shape:`` knows."""

ROUTES = Fields(
    NUMBERS,
    TEXTS,
    "xrp edge>5 shape:triangular venue:upbit",
    plain=("sym", "venue", "state"),
    told=("sym", "venue", "asset", "shape", "state", "edge", "net", "size", "age", "health"),
    values={"shape": SHAPES},
)
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
        reads = [fields.texts[name] for name in fields.plain or fields.texts]
        return lambda row: any(word in read(row).lower() for read in reads)
    name, op, value = match["field"], match["op"], match["value"]
    if name in fields.texts and op in ":=":
        known_values = fields.values.get(name)
        value = value.replace("-", "_") if known_values is not None else value
        if known_values is not None and not any(value in one for one in known_values):
            raise QueryError(_unlike(f"{name} {value}", value, known_values, f"{name}s: {' '.join(known_values)}"))
        read_text = fields.texts[name]
        return lambda row: value in read_text(row).lower()
    if name in fields.numbers and op != ":":
        try:
            bound = float(value)
        except ValueError:
            raise QueryError(f"{word}: give a number after {op}") from None
        read_number, compare = fields.numbers[name], _COMPARE[op]
        return lambda row: compare(read_number(row), bound)
    known = [*fields.texts, *fields.numbers]
    if name in known:
        raise QueryError(f"{word}: {name}{':text' if name in fields.texts else '>number'} would do")
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    raise QueryError(f"no {name}; did you mean {close[0]}?" if close else f"no {name}: {' '.join(fields.told or known)}")


def hint(text: str, rows: Iterable[Any], fields: Fields = ROUTES) -> str:
    """Why the valid filter ``text`` matches none of ``rows``, where a word of it names what no row has; else empty."""
    rows = list(rows)
    for word in as_latin(text).lower().split():
        match = _WORD.match(word)
        if match is None or match["op"] not in ":=" or match["field"] not in fields.texts or match["field"] in fields.values:
            continue
        read, value = fields.texts[match["field"]], match["value"]
        if value and not any(value in read(row).lower() for row in rows):
            there = dict.fromkeys(one for row in rows for one in read(row).lower().split())
            return _unlike(f"{match['field']} {value}", value, list(there))
    return ""


def _unlike(wanted: str, value: str, known: Sequence[str], whole: str = "") -> str:
    """What ``wanted`` is taken for, or what there is: ``whole``, else the first six of ``known``."""
    close = difflib.get_close_matches(value, known, n=1, cutoff=0.5)
    return f"no {wanted}; did you mean {close[0]}?" if close else whole or f"no {wanted}: {' '.join(known[:6])}"
