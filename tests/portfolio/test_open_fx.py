"""What is open of a settlement currency, as ledgers print it."""

from decimal import Decimal

from arbtui.journal.events import BalanceOpened, PlannedLeg, RunStarted
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import Fill, Side
from arbtui.portfolio.open_fx import OpenFx
from arbtui.portfolio.portfolio import Portfolio
from tests.portfolio.telling import Telling


def test_amounts_are_printed_to_eight_decimals_and_what_is_not_known_as_nothing() -> None:
    known = OpenFx("KRW", Decimal("12400.50"), Decimal("8.854337737"), 1_000, Decimal("1.123456789"), Decimal("-0.000000004"), "USDT")
    assert known.facts() == {
        "asset": "KRW", "amount": "12400.5", "value_usdt": "8.85433774", "since": "1970-01-01T00:00:01.000Z",
        "converted_usdt": "1.12345679", "cost_usdt": "0",
        "currency": "USDT", "value": "8.85433774", "converted": "1.12345679", "cost": "0",
    }  # fmt: skip
    unknown = OpenFx("KRW", Decimal(0), None, None, Decimal(0), Decimal(0), "USDT").facts()
    assert (unknown["value_usdt"], unknown["since"]) == (None, None)


def test_another_desk_s_amounts_are_named_by_its_currency() -> None:
    facts = OpenFx("USDT", Decimal(10), Decimal(14_000), None, Decimal(0), Decimal(0), "KRW").facts()
    assert (facts["currency"], facts["value"], facts["value_krw"]) == ("KRW", "14000", "14000")
    assert "value_usdt" not in facts


def test_what_conversions_came_to_and_cost_is_told_since_a_day_began_and_since_ever() -> None:
    tell = Telling()
    tell(RunStarted("r1", "p", "sim", 1, "0", "c", {}, "ARMED", "USDT", ("KRW", "USDT")))
    tell(BalanceOpened("upbit", "KRW", Decimal(1000)))
    prices = {"KRW": Decimal("0.5"), "USDT": ONE}
    portfolio = tell.portfolio

    def convert(cycle_id: str, qty: int) -> None:
        """Buy so many USDT at 2.2 won, with a fee of one won; a won is worth half."""
        amount = Decimal(qty)
        tell.open(cycle_id, PlannedLeg(0, "upbit", "KRW-USDT", "USDT", "KRW", Side.BUY, amount, Decimal("2.2"), ONE))
        fill = Fill(
            "upbit", cycle_id, f"{cycle_id}-0", "v", "KRW-USDT", "USDT", "KRW", Side.BUY, amount, Decimal("2.2"), amount * Decimal("2.2"),
            ONE, "KRW", "taker", 0,
        )  # fmt: skip
        tell.fill(cycle_id, fill, prices)

    def told(*, since: bool) -> list[Decimal | None]:
        (row,) = portfolio.open_fx(prices, portfolio.state.day if since else None)
        assert row.asset == "KRW"
        return [row.amount, row.value, row.converted, row.cost]

    tell.marks(prices, "day")
    assert portfolio.state.day is not None
    assert told(since=True) == told(since=False) == [ZERO] * 4
    convert("c1", 10)
    assert told(since=True) == told(since=False) == [Decimal(-23), Decimal("-11.5"), Decimal(11), Decimal("1.5")]
    tell.marks(prices, "day", "2026-01-02")
    convert("c2", 20)
    assert told(since=False) == [Decimal(-68), Decimal(-34), Decimal(33), Decimal(4)]
    assert told(since=True) == [Decimal(-68), Decimal(-34), Decimal(22), Decimal("2.5")]
    assert (portfolio.open_amount("KRW"), portfolio.open_amount("EUR")) == (Decimal(-68), ZERO)
    assert portfolio.open_fx({"USDT": ONE})[0].value is None


def test_a_portfolio_in_which_nothing_happened_has_spent_nothing() -> None:
    nothing = Portfolio()
    assert (nothing.rebalance_spent_today(), nothing.rebalance_at_stake(), nothing.open_amount("KRW")) == (ZERO, ZERO, ZERO)
    assert nothing.loss_today({}) == nothing.result({}) == 0
