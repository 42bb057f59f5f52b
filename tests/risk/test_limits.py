"""Limits by scope: the stricter of profile and journal holds, each limit knows in which direction it is stricter."""

from math import inf, nan

import pytest

from arbtui.journal.events import LimitChanged
from arbtui.model.reason import Reason
from arbtui.portfolio.state import LimitRecord
from arbtui.risk.config import RiskConfig, default_limits
from arbtui.risk.limit_book import LimitBook, LimitRow
from arbtui.risk.limit_names import LIMITS, TIERS, LimitScope, parse_scope
from arbtui.risk.tiers import VALUE_SLACK, RouteGuard
from tests.portfolio.telling import Telling
from tests.routes.pairs import Pair

PAPER = RiskConfig.model_validate(default_limits("paper"))


def book(**own: float) -> LimitBook:
    """Over the paper limits, 100 an order and 3 bps; ``own``: what was set, dots written as two underscores."""
    return LimitBook(PAPER, 100.0, 3.0, {name.replace("__", "."): LimitRecord(value, "ann", "why", 1) for name, value in own.items()})


def test_every_limit_of_a_profile_has_a_name_and_a_unit_that_its_name_says() -> None:
    assert set(LIMITS) == {name for kind in TIERS.values() for name in kind.model_fields} - {"factor_correlation"} | {
        "order_value",
        "min_edge_bps",
    }
    for name, limit in LIMITS.items():
        if name == "max_orders_s":  # a count in a second
            assert limit.unit == ""
            continue
        for ending, unit in (("_ms", "ms"), ("_bps", "bps"), ("_s", "s")):
            assert not name.endswith(ending) or limit.unit == unit
        assert limit.scopes[0] == limit.tier


@pytest.mark.parametrize("name", list(LIMITS))
def test_the_stricter_of_profile_and_journal_holds(name: str) -> None:
    limit = LIMITS[name]
    profile = book().value(name)
    lower, higher = profile / 2 if profile else -1.0, profile * 2 + 1
    strict, loose = (higher, lower) if limit.higher_is_stricter else (lower, higher)
    scope = f"{limit.tier}.{name}"
    for value, holds in ((strict, strict), (loose, profile), (profile, profile)):
        own = LimitBook(PAPER, 100.0, 3.0, {scope: LimitRecord(value, "ann", "", 1)})
        assert own.value(name) == holds
        (row,) = (row for row in own.rows() if row.scope == scope)
        assert (row.profile, row.journal, row.holds) == (profile, value, holds), "both are shown"


def test_of_all_scopes_that_apply_the_strictest_holds() -> None:
    own = {"route.order_value": 80.0, "symbol.XRP.order_value": 50.0, "route.XRP:upbit>binance.order_value": 60.0}
    limits = LimitBook(PAPER, 100.0, 3.0, {scope: LimitRecord(value, "ann", "", 1) for scope, value in own.items()})
    assert limits.value("order_value") == 80.0
    assert limits.value("order_value", symbol="ADA", route="ADA:upbit>binance") == 80.0
    assert limits.value("order_value", symbol="XRP", route="XRP:binance>upbit") == 50.0
    assert limits.value("order_value", symbol="XRP", route="XRP:upbit>binance") == 50.0
    assert limits.value("min_edge_bps", symbol="XRP") == 3.0
    rows = {row.scope: row.holds for row in limits.rows() if row.journal is not None}
    assert rows == {"route.order_value": 80.0, "symbol.XRP.order_value": 50.0, "route.XRP:upbit>binance.order_value": 50.0}


def test_each_tier_gets_its_table() -> None:
    own = {"global.max_open_cycles": 3.0, "exchange.binance.max_in_flight_orders": 4.0, "symbol.XRP.price_band_bps": 40.0}
    own |= {"route.XRP:upbit>binance.max_edge_bps": 50.0}
    limits = LimitBook(PAPER, 100.0, 3.0, {scope: LimitRecord(value, "ann", "", 1) for scope, value in own.items()})
    assert limits.total() == PAPER.global_.model_copy(update={"max_open_cycles": 3})
    assert isinstance(limits.total().max_open_cycles, int)
    assert (limits.exchange("binance").max_in_flight_orders, limits.exchange("upbit").max_in_flight_orders) == (4, 50)
    assert (limits.symbol("XRP").price_band_bps, limits.symbol("ADA").price_band_bps) == (40.0, 500.0)
    assert limits.route("XRP", "XRP:upbit>binance").max_edge_bps == 50.0
    assert limits.route("XRP", "XRP:binance>upbit") == PAPER.route


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("global.max_los_day", "did you mean global.max_loss_day?"),
        ("", "names no limit"),
        ("max_loss_day", "names no limit"),
        ("route.max_loss_day", "max_loss_day is set as global.max_loss_day"),
        ("global.upbit.max_loss_day", "max_loss_day is set as global.max_loss_day"),
        ("symbol.XRP.max_in_flight_orders", "exchange.NAME.max_in_flight_orders"),
        ("exchange.upbit.order_value", "symbol.NAME.order_value"),
        ("symbol.X P.order_value", "'X P' is no name of a symbol"),
        ("symbol.upbit:XRP.order_value", "such as symbol.XRP.order_value"),
    ],
)
def test_a_scope_that_names_nothing_is_told_what_to_write(text: str, said: str) -> None:
    found = parse_scope(text)
    assert isinstance(found, str)
    assert said in found


def test_a_scope_reads_as_it_was_written() -> None:
    for text in (
        "global.max_loss_day",
        "exchange.binance.max_unknown_orders",
        "symbol.XRP.order_value",
        "route.XRP:upbit>binance.min_edge_bps",
    ):
        found = parse_scope(f" {text} ")
        assert isinstance(found, LimitScope)
        assert str(found) == text


@pytest.mark.parametrize(
    ("typed", "scope"),
    [
        ("exchange.Binance.max_unknown_orders", "exchange.binance.max_unknown_orders"),
        ("symbol.xrp.order_value", "symbol.XRP.order_value"),
        ("route.xrp:Upbit>binance.min_edge_bps", "route.XRP:upbit>binance.min_edge_bps"),
        ("route.xrp:upbit/krw>xrp,Binance/xrp>usdt.min_edge_bps", "route.XRP:upbit/KRW>XRP,binance/XRP>USDT.min_edge_bps"),
    ],
)
def test_a_limit_set_in_other_letters_holds_all_the_same(typed: str, scope: str) -> None:
    assert str(parse_scope(typed)) == scope


@pytest.mark.parametrize(
    ("scope", "value", "said"),
    [
        ("global.max_unhedged", 2000.01, "the profile allows 2000"),
        ("route.min_edge_bps", 2.9, "the profile allows 3"),
        ("route.loss_pause_s", 59.0, "the profile allows 60"),
        ("global.max_open_cycles", 2.5, "whole number"),
        ("global.max_open_cycles", 0, "greater than or equal to 1"),
        ("global.max_unhedged", -1.0, "greater than 0"),
        ("symbol.XRP.order_value", 0.0, "above 0"),
        ("global.max_unhedged", nan, "a number is needed"),
        ("global.max_unhedged", inf, "a number is needed"),
        ("exchange.okx.max_in_flight_orders", 3, "nothing that runs is exchange okx"),
        ("exchange.binanc.max_in_flight_orders", 3, "nothing that runs is exchange binanc; did you mean binance?"),
        ("global.max_unhedged", None, "no value of its own"),
    ],
)
def test_what_may_not_be_set_says_why(scope: str, value: float | None, said: str) -> None:
    found = book().change(scope, value, "ann", "", known={"exchange": {"upbit", "binance"}})
    assert isinstance(found, str)
    assert said in found


def test_a_limit_is_lowered_at_any_time_and_raised_only_while_nothing_is_armed() -> None:
    limits = book(global__max_loss_day=50.0, route__min_edge_bps=10.0)
    for armed in ("ARMED", "PAUSED", ""):
        assert limits.change("global.max_loss_day", 49.0, "ann", "r", armed=armed) == LimitChanged(
            "global.max_loss_day", 50.0, 49.0, "ann", "r"
        )
        assert isinstance(limits.change("route.min_edge_bps", 11.0, "ann", "", armed=armed), LimitChanged)
        for scope, value in (("global.max_loss_day", 51.0), ("global.max_loss_day", None), ("route.min_edge_bps", 9.0)):
            found = limits.change(scope, value, "ann", "", armed=armed)
            assert isinstance(found, LimitChanged) is (not armed)
            assert not armed or f"the engine is {armed}" in str(found)
    assert "50 already" in str(limits.change("global.max_loss_day", 50.0, "ann", ""))


def test_the_fold_keeps_what_was_set_over_a_snapshot() -> None:
    tell = Telling().start()
    tell(LimitChanged("symbol.XRP.order_value", None, 50.0, "ann", "thin"))
    at = tell.now_ms
    tell(LimitChanged("global.max_loss_day", None, 20.0, "ann", ""))
    tell(LimitChanged("global.max_loss_day", 20.0, None, "bob", ""))
    (kept,) = tell.portfolio.state.limits.items()
    assert kept == ("symbol.XRP.order_value", LimitRecord(50.0, "ann", "thin", at))
    again = type(tell.portfolio).load(tell.portfolio.dump())
    assert again.state.limits == tell.portfolio.state.limits


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (100 * VALUE_SLACK - 1e-6, None),
        (100 * VALUE_SLACK, None),
        (100 * VALUE_SLACK + 1e-6, Reason.ORDER_VALUE),
        (nan, Reason.ORDER_VALUE),
        (inf, Reason.ORDER_VALUE),
    ],
)
def test_a_cycle_over_the_orders_value_is_refused(value: float, reason: Reason | None) -> None:
    route = Pair().to_upbit
    assert route.terms.order_value == 100.0
    assert RouteGuard(PAPER.route, Telling().portfolio, lambda: 0).size(route, value) is reason


def test_only_symbols_and_routes_with_a_value_have_limits_of_their_own() -> None:
    own = ("exchange.binance.max_in_flight_orders", "route.order_value", "symbol.XRP.order_value", "route.ADA:upbit>binance.order_value")
    limits = LimitBook(PAPER, 100.0, 3.0, {scope: LimitRecord(1.0, "ann", "", 1) for scope in own})
    assert limits.names_of_its_own() == {"XRP", "ADA:upbit>binance"}


def test_a_row_tells_who_set_it_when_and_why_or_that_nobody_did() -> None:
    limits = LimitBook(PAPER, 100.0, 3.0, {"route.order_value": LimitRecord(50.0, "ann", "thin", 1_000)})
    rows = {row.scope: row.facts() for row in limits.rows(lambda scope: (7.0, "of all") if scope.limit.name == "order_value" else inf)}
    assert rows["route.order_value"] == {
        "scope": "route.order_value", "unit": "money", "stricter": "lower", "profile": 100.0, "journal": 50.0, "holds": 50.0,
        "used": 7.0, "note": "of all", "by": "ann", "reason": "thin", "since": "1970-01-01T00:00:01.000Z",
    }  # fmt: skip
    untouched = rows["global.max_unhedged"]
    assert [untouched[name] for name in ("journal", "used", "note", "by", "reason", "since")] == [None] * 6
    assert LimitRow("s", "", False, 1.0, None, 1.0, None).facts()["since"] is None


@pytest.mark.parametrize(("scope", "value"), [("route.min_edge_bps", 4.0), ("symbol.XRP.order_value", 0.5)])
def test_what_a_size_may_be_is_not_bound_to_whole_numbers_or_to_more_than_one(scope: str, value: float) -> None:
    assert isinstance(book().change(scope, value, "ann", ""), LimitChanged)


def test_a_scope_that_names_nothing_is_no_change() -> None:
    found = book().change("global.max_los_day", 1.0, "ann", "")
    assert isinstance(found, str)
    assert "max_loss_day" in found
