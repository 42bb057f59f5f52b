"""When a notice is of a kind: what must stand in its title, what never may, and what may only beside something else."""

import tomllib
from importlib.resources import files
from typing import Any

import pytest

from arbtui.risk.notices.kinds import NoticeKind
from arbtui.risk.notices.rules import NoticeRules, Rule

TABLE: dict[str, Any] = tomllib.loads(files("arbtui.risk.notices").joinpath("rules.toml").read_text("utf-8"))
ROW = {"kind": "wallet", "phrases": ["stops"], "categories": ["halts"], "never": ["never"], "but_not": ["futures"], "unless": ["spot"]}


def rules(*rows: dict[str, Any]) -> NoticeRules:
    """The shipped settings, with ``rows`` as the only rules."""
    return NoticeRules.read({**TABLE, "rule": rows})


def written(rule: Rule) -> dict[str, Any]:
    """A rule as its table has it."""
    phrases = {name: [one.written for one in getattr(rule, name)] for name in ("phrases", "never", "but_not", "unless")}
    return {"kind": rule.kind.value, "categories": sorted(rule.categories), **phrases}


def test_a_rule_is_read_as_it_is_written_and_what_it_leaves_out_is_empty() -> None:
    whole, short = rules(ROW, {"kind": "over", "phrases": ["ends"]}).rules
    assert written(whole) == ROW
    assert written(short) == {"kind": "over", "phrases": ["ends"], "categories": [], "never": [], "but_not": [], "unless": []}


@pytest.mark.parametrize(
    ("title", "categories", "fits"),
    [
        ("It stops", (), True),
        ("It goes on", (), False),
        ("It goes on", ("halts",), True),
        ("It goes on", ("else", "halts"), True),
        ("It goes on", ("else",), False),
        ("It stops, never", (), False),
        ("It never goes on", ("halts",), False),
        ("Futures: it stops", (), False),
        ("Spot: it stops", (), True),
        ("Futures and spot: it stops", (), True),
        ("Futures and spot: it never stops", (), False),
    ],
)
def test_a_rule_fits_by_a_phrase_or_a_category_where_nothing_speaks_against_it(title: str, categories: tuple[str, ...], fits: bool) -> None:
    assert rules(ROW).rules[0].fits(title, categories) is fits
    assert rules(ROW).kinds(title, categories) == ((NoticeKind.WALLET,) if fits else ())


def test_of_several_kinds_the_most_severe_is_first() -> None:
    kinds = [kind for kind in NoticeKind if kind is not NoticeKind.OTHER]
    rows = [{"kind": kind.value, "phrases": ["it"]} for kind in reversed(kinds)]
    assert rules(*rows, *rows).kinds("it", ()) == tuple(kinds)
    assert [kind.rank for kind in NoticeKind] == list(range(len(NoticeKind)))


def test_a_category_or_a_word_says_that_a_notice_is_about_nothing() -> None:
    shipped = NoticeRules.shipped()
    assert shipped.is_nothing("News", ("nft",))
    assert shipped.is_nothing("A quiz", ())
    assert shipped.is_nothing("A quiz", ("nft",))
    assert not shipped.is_nothing("News", ("news",))
