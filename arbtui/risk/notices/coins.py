"""Which coins a text names: in brackets, as a pair, or as a ticker that is known."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from arbtui.risk.notices.rules import NoticeRules

_TICKER = r"[A-Z0-9]{1,15}"
_BRACKETS = re.compile(r"\(([^()]{1,200})\)")
_SEPARATORS = re.compile(r"[\s,/&·+、]+|및|and")
_BARE = re.compile(rf"(?<![\w.])({_TICKER})(?![\w.]*\w)")
_MARKET = r"(?:마켓|[Mm]arkets?|MARKETS?)"
#: A title all in capitals tells nothing about words in capitals.
_SHOUTED = re.compile(r"\b(?:WILL|THE|AND|FOR|OF|ON|TO|IN)\b")


@dataclass(frozen=True, slots=True)
class Named:
    """Coins in the order of their mention. ``pairs``: (base, quote) of those that are named as a market; ``quotes``: of whole markets."""

    coins: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    quotes: frozenset[str]

    @property
    def in_pairs_only(self) -> frozenset[str]:
        """Bases of pairs that are not named by themselves as well."""
        return frozenset(base for base, _ in self.pairs) - frozenset(self.coins)

    @property
    def all(self) -> tuple[str, ...]:
        """Every coin that is named, once."""
        return tuple(dict.fromkeys([*self.coins, *(base for base, _ in self.pairs)]))


def coins_in(text: str, known: Collection[str], rules: NoticeRules, markets: Collection[tuple[str, str]] = ()) -> Named:
    """The coins that ``text`` names; a bare word in capitals counts only if it is one of ``known``.

    ``markets``: (base, quote) of those that are traded there, by which two currencies that others are priced in are told apart: a venue
    writes its quote first (``KRW-BTC``), or last.
    """
    quotes_of = "|".join(sorted(rules.quotes, key=len, reverse=True))
    quote = "(?:{})".format("|".join([*rules.quote_names, quotes_of]))
    pairs: list[tuple[str, str]] = []
    quotes: set[str] = set()

    def take_markets(found: re.Match[str]) -> str:
        quotes.update(rules.quote_names.get(one, one) for one in re.findall(quote, found[1]))
        return " "

    def take_pair(found: re.Match[str]) -> str:
        first, second = found[1], found[2]
        is_turned = second not in rules.quotes or (second, first) in markets
        pairs.append((second, first) if is_turned else (first, second))
        return " "

    def take_joined(found: re.Match[str]) -> str:
        if found[1] not in known:
            return found[0]
        pairs.append((found[1], found[2]))
        return " "

    text = re.sub(rf"((?<![A-Z0-9]){quote}(?:\s*(?:,|/|·|&|및|and)\s*{quote})*)\s*{_MARKET}", take_markets, text)
    text = re.sub(rf"(?<![\w-])({_TICKER})\s?[/_]\s?({quotes_of})(?![A-Z0-9])", take_pair, text)
    text = re.sub(rf"(?<![\w-])({quotes_of})-({_TICKER})(?![A-Z0-9-])", take_pair, text)
    text = re.sub(rf"(?<![\w-])([A-Z0-9]{{1,12}}?)({quotes_of})(?![A-Z0-9])", take_joined, text)
    found: dict[str, int] = {}
    for bracket in _BRACKETS.finditer(text):
        parts = [part for part in _SEPARATORS.split(bracket[1]) if part]
        if parts and all(_is_ticker(part) for part in parts):
            for part in parts:
                if part not in rules.words or (len(parts) == 1 and part in known):
                    found.setdefault(part, bracket.start())
    if _SHOUTED.search(text) is None:
        for bare in _BARE.finditer(text):
            if bare[1] in known and bare[1] not in rules.words:
                found.setdefault(bare[1], bare.start())
    return Named(tuple(sorted(found, key=lambda one: found[one])), tuple(dict.fromkeys(pairs)), frozenset(quotes))


def _is_ticker(part: str) -> bool:
    return re.fullmatch(_TICKER, part) is not None and re.search("[A-Z]", part) is not None
