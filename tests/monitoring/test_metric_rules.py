"""Alert rules over the metrics: threshold, rate, change and absence, for each scope, told once, and over when they are over."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from math import inf, nan
from pathlib import Path
from typing import Any, cast

import pytest

from arbtui.model.book import BookState
from arbtui.model.errors import UsageError
from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.metric_names import METRICS
from arbtui.monitoring.metric_rules import MetricRules, Series
from arbtui.monitoring.metrics import families
from arbtui.monitoring.rule_config import MOST_RULES, RuleConfig
from arbtui.runtime.metrics import RunMetrics
from arbtui.runtime.summary import Run
from arbtui.settings.load import load_profile
from arbtui.views.measures import Measures, RunMeasures
from tests.deploy.conditions import CONDITIONS, healthy
from tests.execution.world import world
from tests.lifecycle.profiles import changed_profile
from tests.lifecycle.programs import run
from tests.views.test_detail import views_of

UNKNOWN = "arbtui_orders_unknown"
DENIALS = "arbtui_denials_total"


class Told:
    """Rules, and what they told: (second, scope, words), and when each was over."""

    def __init__(self, **rule: Any) -> None:
        self.told: list[tuple[float, str, str]] = []
        self.over: list[str] = []
        self._now = 0.0
        self._rules = MetricRules({"one": RuleConfig(**rule)}, self._tell, self.over.append)

    def _tell(self, name: str, rule: RuleConfig, scope: str, detail: str) -> str:
        self.told.append((self._now, scope, detail))
        return f"breach {len(self.told)}"

    def look(self, now: float, *series: Series, metric: str = UNKNOWN) -> None:
        self._now = now
        self._rules.look({metric: series}, now)


def at(value: float, **labels: str) -> Series:
    return labels, value


def test_every_metric_is_known_with_its_labels() -> None:
    """What the page of rules may name is what there is."""
    found: dict[str, set[str]] = {}
    for family in families(healthy(60.0)):
        for sample in family.samples:
            if not sample.name.endswith("_bucket"):
                found.setdefault(sample.name, set()).update(sample.labels)
    assert {name: set(labels) for name, labels in METRICS.items()} == found


def test_a_threshold_is_told_once_it_has_held_for_so_long_and_once_only() -> None:
    rules = Told(metric=UNKNOWN, above=0, for_s=120)
    for second in range(0, 1200, 15):
        rules.look(second, at(0 if second < 60 else 2, exchange="upbit"))
    assert rules.told == [(180, "", "arbtui_orders_unknown is 2, above 0 for 120 s")]
    assert not rules.over
    rules.look(1200, at(0, exchange="upbit"))
    assert rules.over == ["breach 1"]


def test_a_break_begins_the_time_anew() -> None:
    rules = Told(metric=UNKNOWN, above=0, for_s=60)
    for second in range(0, 600, 15):
        rules.look(second, at(0 if second % 60 == 0 else 1))
    assert not rules.told


def test_each_scope_is_judged_for_itself() -> None:
    rules = Told(metric=UNKNOWN, above=1, by="exchange")
    rules.look(0, at(1, exchange="upbit"), at(2, exchange="binance"))
    assert [scope for _, scope, _ in rules.told] == ["binance"]
    together = Told(metric=UNKNOWN, above=2)
    together.look(0, at(1, exchange="upbit"), at(2, exchange="binance"))
    assert [scope for _, scope, _ in together.told] == [""]
    most = Told(metric=UNKNOWN, above=2, take="max")
    most.look(0, at(1, exchange="upbit"), at(2, exchange="binance"))
    assert not most.told


def test_a_tier_is_a_label_like_any_other() -> None:
    rules = Told(metric=DENIALS, kind="rate", above=0.5, over_s=60, where={"tier": "exchange"}, severity="CRIT")
    for second in range(0, 121, 10):
        series = [at(second * 1.0, tier="exchange", reason="A"), at(second * 100.0, tier="route", reason="B")]
        rules.look(second, *series, metric=DENIALS)
    assert rules.told == [(60, "", "arbtui_denials_total{tier=exchange} rises a second by 1, above 0.5")]


def test_a_rate_is_over_the_whole_time_that_it_looks_back() -> None:
    rules = Told(metric=DENIALS, kind="rate", above=1, over_s=100)
    for second in range(0, 301, 10):
        rules.look(second, at(0.0 if second < 200 else 150.0), metric=DENIALS)
    assert [when for when, _, _ in rules.told] == [200], "150 in 100 s"


def test_what_has_stopped_changing_is_told() -> None:
    rules = Told(metric="arbtui_updates_total", kind="change", below=1, over_s=120)
    for second in range(0, 600, 15):
        rules.look(second, at(min(second, 300) * 10.0), metric="arbtui_updates_total")
    assert [when for when, _, _ in rules.told] == [420]
    assert "changed in 120 s by 0, below 1" in rules.told[0][2]


def test_a_step_is_told_either_way() -> None:
    for step in (30.0, -30.0):
        rules = Told(metric="arbtui_exchange_rate", kind="change", above=20, over_s=60)
        for second in range(0, 181, 15):
            rules.look(second, at(1400.0 if second < 90 else 1400.0 + step), metric="arbtui_exchange_rate")
        assert [when for when, _, _ in rules.told] == [90]


@pytest.mark.parametrize("gone", [[at(nan, pair="KRW/USDT")], []], ids=["NaN", "no series"])
def test_what_has_no_value_is_told(gone: Sequence[Series]) -> None:
    rules = Told(metric="arbtui_exchange_rate", kind="absence", for_s=30, by="pair")
    for second in range(0, 300, 15):
        rules.look(second, *([at(1400.0, pair="KRW/USDT")] if second < 60 else gone), metric="arbtui_exchange_rate")
    assert rules.told == [(90, "KRW/USDT", "arbtui_exchange_rate has no value for 30 s")]


def test_nan_is_neither_above_nor_below() -> None:
    for bound in ({"above": 0}, {"below": 0}):
        rules = Told(metric=UNKNOWN, **bound)
        rules.look(0, at(nan))
        assert not rules.told
    rules = Told(metric="arbtui_stock_runway_seconds", above=10)
    rules.look(0, at(inf), at(nan), metric="arbtui_stock_runway_seconds")
    assert rules.told, "infinity is a number"


def test_what_flaps_is_told_once_in_a_cool_down_with_its_count() -> None:
    rules = Told(metric=UNKNOWN, above=0, cool_down_s=600)
    for second in range(0, 601, 10):
        rules.look(second, at(second // 10 % 2 == 0))
    assert [when for when, _, _ in rules.told] == [0, 600]
    assert "; 29 times before, within the cool-down" in rules.told[1][2]
    assert rules.over == ["breach 1"]


def test_scopes_are_bounded() -> None:
    rules = Told(metric=UNKNOWN, above=0, by="exchange")
    rules.look(0, *(at(1, exchange=f"venue{number}") for number in range(1000)))
    assert len(rules.told) == 200


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_metric_of_a_fault_can_be_read_before_it_was_ever_seen(name: str) -> None:
    rules = MetricRules({"one": RuleConfig(metric=UNKNOWN, above=0)}, lambda *told: "", lambda told: None)
    *_, found = rules.collect(families(healthy(60.0)))
    assert found[UNKNOWN], "there as nought"


def told_of(measures: Callable[[float], Measures], rules: Mapping[str, RuleConfig], minutes: int = 60) -> dict[str, tuple[str, float]]:
    """Which of ``rules`` are told of in so many minutes of ``measures``, looked at every 30 s: scope, and minute of the first."""
    told: dict[str, tuple[str, float]] = {}
    at = 0.0

    def tell(name: str, rule: RuleConfig, scope: str, detail: str) -> str:
        told.setdefault(name, (scope, at))
        return name

    book = MetricRules(rules, tell, lambda name: None)
    for step in range(2 * minutes + 1):
        at = step / 2
        *_, found = book.collect(families(measures(at)))
        book.look(found, at * 60)
    return told


@pytest.fixture
def shipped(home: Path) -> Mapping[str, RuleConfig]:
    return load_profile("upbit-binance").alerts.rules


def test_the_shipped_rules_are_quiet_in_a_healthy_hour(shipped: Mapping[str, RuleConfig]) -> None:
    assert len(shipped) == 8
    assert told_of(healthy, shipped) == {}


def no_book_at_upbit(minutes: float) -> Measures:
    measures = healthy(minutes)
    first, *others = measures.venues
    return replace(measures, venues=[replace(first, books={BookState.STALE: 21}), *others])


def nothing_comes(minutes: float) -> Measures:
    return CONDITIONS["MarketDataStands"](minutes)


@pytest.mark.parametrize(
    ("rule", "measures", "scope", "minute"),
    [
        ("idle", CONDITIONS["Idle"], "", 30.0),
        ("books_not_live", no_book_at_upbit, "upbit", 2.0),
        ("data_stands", nothing_comes, "", 2.0),
        ("no_rate", CONDITIONS["RateUnusable"], "KRW/USDT", 5.0),
        ("rate_limit", CONDITIONS["RateLimitNearlySpent"], "upbit", 5.0),
        ("stock_dry", CONDITIONS["StockDry"], "upbit", 15.0),
        ("disk_full", CONDITIONS["DiskNearlyFull"], "", 1.0),
        ("memory", CONDITIONS["MemoryLarge"], "", 10.0),
    ],
)
def test_each_shipped_rule_is_told_of_on_its_condition_alone_and_not_before_its_time(
    shipped: Mapping[str, RuleConfig], rule: str, measures: Callable[[float], Measures], scope: str, minute: float
) -> None:
    assert told_of(measures, shipped) == {rule: (scope, minute)}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('{ metric = "arbtui_order_unknown", above = 0 }', "metric: 'arbtui_order_unknown' is none; did you mean arbtui_orders_unknown?"),
        (f'{{ metric = "{UNKNOWN}" }}', "above, below: a rule of kind 'threshold' has one of them, this one has none"),
        (f'{{ metric = "{UNKNOWN}", above = 0, below = 1 }}', "above, below: a rule of kind 'threshold' has one of them, this one has 2"),
        (f'{{ metric = "{UNKNOWN}", kind = "absence", above = 0 }}', "above: what has no value is not above anything; take the key out"),
        (f'{{ metric = "{UNKNOWN}", above = 0, by = "symbol" }}', "by: arbtui_orders_unknown has no label 'symbol'; it has exchange"),
        ('{ metric = "arbtui_idle", above = 0, where = { a = "b" } }', "where: arbtui_idle has no label 'a'; it has no labels"),
        (f'{{ metric = "{UNKNOWN}", above = 0, for_second = 1 }}', "for_second is no key of a rule; did you mean for_s?"),
        (f'{{ metric = "{UNKNOWN}", above = "many" }}', "above = 'many': input should be a valid number"),
        (f'{{ metric = "{UNKNOWN}", above = nan }}', "above = 'nan': input should be a finite number"),
        (f'{{ metric = "{UNKNOWN}", above = 0, severity = "LOUD" }}', "severity = 'LOUD': input should be 'CRIT', 'WARN' or 'INFO'"),
        (f'{{ metric = "{UNKNOWN}", above = 0, for_s = -1 }}', "for_s = '-1': input should be greater than or equal to 0"),
        ("{ above = 0 }", "metric is missing"),
        ("3", 'expected a table of keys, such as { metric = "arbtui_orders_unknown", above = 0 }'),
    ],
)
def test_a_rule_that_cannot_be_judged_is_one_sentence(home: Path, rule: str, said: str) -> None:
    profile = changed_profile(home, "mine", ("idle = ", f"bad = {rule}"))
    with pytest.raises(UsageError) as caught:
        load_profile(str(profile))
    assert f"alerts.rules.bad: {said}" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_too_many_rules_are_refused(home: Path) -> None:
    rules: Mapping[str, Any] = {f"r{number}": {"metric": UNKNOWN, "above": 0} for number in range(MOST_RULES + 1)}
    with pytest.raises(UsageError, match=r"rules: 10\d rules are more than 100"):
        load_profile("upbit-binance", {"alerts": {"rules": rules}})


def test_what_prometheus_has_just_read_is_not_read_again(home: Path, tmp_path: Path) -> None:
    async def main() -> None:
        unused = cast(Any, None)
        async with world(tmp_path) as w:
            whole = Run(load_profile("upbit-binance"), w.engine, unused, unused, unused, unused, 0.0, None)
            metrics = RunMetrics(whole, views_of(w), None)
            metrics._reader._run = RunMeasures  # a whole run's own measures are another test's
            await metrics.read()
            read_at = w.components.clock.monotonic()
            await asyncio.sleep(10)
            found, at_ = await metrics.recent(15.0)
            assert at_ == read_at
            assert list(found)
            await asyncio.sleep(10)
            assert (await metrics.recent(15.0))[1] == w.components.clock.monotonic()

    run_virtual(main())


def test_a_rule_of_the_profile_is_a_breach_of_the_run(home: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    rule = '{ metric = "arbtui_updates_total", above = 0, severity = "CRIT", action = "nothing" }'
    profile = changed_profile(
        home, "desk", ("symbols = ", "symbols = 2"), ("idle = ", f"moves = {rule}"), ("every_s = 15", "every_s = 1.0")
    )
    ended = run("--profile", str(profile), "--state-dir", str(state), "--headless", "--max-runtime", "5")
    assert ended.code == 0, ended.err
    with closing(sqlite3.connect(state / "desk" / "sim" / "journal.db")) as db:
        rows = db.execute("SELECT severity, kind, scope, detail, action FROM breach WHERE kind LIKE 'RULE%'").fetchall()
    ((severity, kind, scope, detail, action),) = rows
    assert (severity, kind, scope, action) == ("CRIT", "RULE_MOVES", "global", "nothing")
    assert detail.startswith("arbtui_updates_total is ")
