"""The rules by which announcements are read, from ``rules.toml``."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from arbtui.risk.notices.kinds import NoticeKind
from arbtui.risk.notices.text import Phrase


def _stand_in(phrases: Sequence[Phrase], title: str) -> bool:
    return any(phrase.stands_in(title) for phrase in phrases)


@dataclass(frozen=True, slots=True)
class Rule:
    """When a notice is of ``kind``."""

    kind: NoticeKind
    phrases: tuple[Phrase, ...]
    categories: frozenset[str]
    never: tuple[Phrase, ...]
    but_not: tuple[Phrase, ...]
    unless: tuple[Phrase, ...]

    def fits(self, title: str, categories: Sequence[str]) -> bool:
        """Whether a notice of this title is of the kind. ``categories``: the venue's, in small letters."""
        return (
            (_stand_in(self.phrases, title) or not self.categories.isdisjoint(categories))
            and not _stand_in(self.never, title)
            and (not _stand_in(self.but_not, title) or _stand_in(self.unless, title))
        )


@dataclass(frozen=True, slots=True)
class NoticeRules:
    """All of ``rules.toml``. Times in ms."""

    rules: tuple[Rule, ...]
    halt_before_ms: int
    drain_ms: int
    old_ms: int
    gated_share: float
    quotes: frozenset[str]
    quote_names: Mapping[str, str]
    words: frozenset[str]
    more_in_body: tuple[Phrase, ...]
    moved: tuple[Phrase, ...]
    nothing: tuple[Phrase, ...]
    nothing_categories: frozenset[str]

    @staticmethod
    @cache
    def shipped() -> "NoticeRules":
        """The rules that come with the program."""
        return NoticeRules.read(tomllib.loads(files("arbtui.risk.notices").joinpath("rules.toml").read_text("utf-8")))

    @staticmethod
    def read(table: Mapping[str, Any]) -> "NoticeRules":
        """The rules of a table as it stands in the file."""
        return NoticeRules(
            rules=tuple(_rule(row) for row in table["rule"]),
            halt_before_ms=int(table["halt_before_min"] * 60_000),
            drain_ms=int(table["drain_min"] * 60_000),
            old_ms=int(table["old_days"] * 86_400_000),
            gated_share=float(table["gated_share"]),
            quotes=frozenset(table["quotes"]),
            quote_names=table["quote_names"],
            words=frozenset(table["words"]),
            more_in_body=_phrases(table["more_in_body"]),
            moved=_phrases(table["moved"]["phrases"]),
            nothing=_phrases(table["nothing"]["phrases"]),
            nothing_categories=frozenset(table["nothing"]["categories"]),
        )

    def kinds(self, title: str, categories: Sequence[str]) -> tuple[NoticeKind, ...]:
        """What a notice is about, the most severe first; empty where no rule fits."""
        found = {rule.kind for rule in self.rules if rule.fits(title, categories)}
        return tuple(sorted(found, key=lambda kind: kind.rank))

    def is_nothing(self, title: str, categories: Sequence[str]) -> bool:
        """Whether a notice that no rule fits is about no market at all."""
        return not self.nothing_categories.isdisjoint(categories) or _stand_in(self.nothing, title)

    def names_more_below(self, title: str) -> bool:
        """Whether the title says that the body names more coins."""
        return _stand_in(self.more_in_body, title)

    def moves(self, text: str) -> bool:
        """Whether ``text`` says that a time has changed."""
        return _stand_in(self.moved, text)


def _phrases(written: Sequence[str]) -> tuple[Phrase, ...]:
    return tuple(Phrase(one) for one in written)


def _rule(row: Mapping[str, Any]) -> Rule:
    return Rule(
        NoticeKind(row["kind"]),
        _phrases(row["phrases"]),
        frozenset(row.get("categories", ())),
        _phrases(row.get("never", ())),
        _phrases(row.get("but_not", ())),
        _phrases(row.get("unless", ())),
    )
