"""What a person decides of positions, balances and transfers: the events that say so, or the words why there are none."""

from decimal import Decimal
from typing import Any

import pytest

from arbtui.journal.events import (
    Adjusted,
    BalanceDisputed,
    DisputeClosed,
    ResidualSettled,
    TargetSet,
    TransferArrived,
    TransferBegun,
    TransferLeft,
    TransferSettled,
)
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import Side
from arbtui.portfolio.operator_events import (
    Transfer,
    adjustment,
    adjustment_preview,
    begin_transfer,
    equal_disputes,
    new_target,
    settle_by_adjustment,
    settle_transfer,
    settle_transfer_preview,
    settling_adjustment_preview,
    target_preview,
    untyped,
    write_off,
    write_off_preview,
)
from tests.portfolio.telling import Telling, fill_of, leg

PRICES = {"KRW": Decimal("0.0007"), "XRP": Decimal("2.1"), "USDT": ONE}


def one_sided(*cycles: str) -> Telling:
    """Each of ``cycles`` has bought 10 XRP at Binance, where 100 were, and sold none."""
    tell = Telling().start()
    for name in cycles:
        tell.open(name, leg(0, "binance", Side.BUY, Decimal(10), Decimal(2)))
        tell.fill(name, fill_of("binance", Side.BUY, Decimal(10), Decimal(2), name, client_order_id=f"{name}-0"), PRICES)
        tell.end(name)
    return tell


def dispute(tell: Telling, exchange: str, asset: str, theirs: str, ours: str = "") -> None:
    held = Decimal(ours) if ours else tell.portfolio.total(exchange, asset)
    tell(BalanceDisputed(exchange, asset, held, Decimal(theirs)))


def test_a_position_is_written_off_and_nothing_else_is() -> None:
    tell = one_sided("c1", "c2")
    portfolio = tell.portfolio
    assert write_off(portfolio, "c1", "ann", "sold") == (ResidualSettled("c1", "written off", "ann", "sold"),)
    assert write_off(portfolio, "c9", "ann", "x") == "c9 leaves no position; open positions: c1, c2"
    tell(*write_off(portfolio, "c1", "ann", "sold"))
    assert write_off(portfolio, "c1", "ann", "x") == "c1 leaves no position; open positions: c2"
    assert write_off(Telling().start().portfolio, "c1", "ann", "x") == "c1 leaves no position; open positions: none"


#: 110 XRP are held at Binance, 10 of them by the cycle, and 100 at Upbit.
@pytest.mark.parametrize(
    ("disputes", "exchange", "found"),
    [
        ({"binance": "100"}, "", "binance"),
        ({"binance": "100"}, "binance", "binance"),
        ({"binance": "100"}, "upbit", None),
        ({"upbit": "90"}, "", "upbit"),  # they were sold from the other stock
        ({"binance": "100.09"}, "", "binance"),  # a rest under a lot of 0.1
        ({"binance": "100.1"}, "", None),
        ({"binance": "99.91"}, "", "binance"),
        ({"binance": "99.9"}, "", None),
        ({"binance": "120"}, "", None),  # the other way
        ({"binance": "100", "upbit": "90"}, "", None),  # which of the two?
        ({"binance": "100", "upbit": "90"}, "upbit", "upbit"),
        ({"binance": "100", "upbit": "80"}, "", "binance"),
        ({}, "", None),
    ],
)
def test_the_venue_s_word_settles_a_position_where_one_balance_differs_by_just_that(
    disputes: dict[str, str], exchange: str, found: str | None
) -> None:
    tell = one_sided("c1")
    for venue, theirs in disputes.items():
        dispute(tell, venue, "XRP", theirs)
    dispute(tell, "binance", "USDT", "170")  # of an asset that it did not leave: 10 less than is held, too
    told = settle_by_adjustment(tell.portfolio, "c1", exchange, "ann", "sold by hand")
    if found is None:
        where = f" at {exchange}" if exchange else ""
        assert told == f"no disputed balance{where} differs by what c1 leaves; see arbtui adjust"
        return
    word = Decimal(disputes[found])
    change = word - tell.portfolio.total(found, "XRP")
    assert told == (
        Adjusted(found, "XRP", change, f"sold by hand (the venue says {disputes[found]})", "operator", "ann"),
        DisputeClosed(found, "XRP", "ann", "sold by hand"),
        ResidualSettled("c1", "adjusted", "ann", "sold by hand"),
    )
    account = tell.portfolio.cycle("c1")
    assert account is not None
    assert (found, "XRP", change) in equal_disputes(tell.portfolio, account)
    tell(*told)
    assert tell.portfolio.total(found, "XRP") == word
    assert tell.portfolio.positions == []


def test_what_left_two_coins_or_no_position_is_settled_by_no_adjustment() -> None:
    tell = one_sided("c1")
    dispute(tell, "binance", "XRP", "100")
    assert settle_by_adjustment(tell.portfolio, "c9", "", "ann", "x") == "c9 leaves no position; open positions: c1"
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(7), ONE, "a", base="ADA"), PRICES)
    told = settle_by_adjustment(tell.portfolio, "c1", "", "ann", "x")
    assert told == "no disputed balance differs by what c1 leaves; see arbtui adjust"


def test_a_balance_that_moved_since_the_venue_s_word_is_not_adjusted_to_it() -> None:
    tell = one_sided("c1")
    dispute(tell, "binance", "XRP", "100")
    assert adjustment(tell.portfolio, "binance", "XRP", "ann", "x") == (
        Adjusted("binance", "XRP", Decimal(-10), "x (the venue says 100)", "operator", "ann"),
        DisputeClosed("binance", "XRP", "ann", "x"),
    )
    dispute(tell, "binance", "XRP", "100", ours="109")
    moved = adjustment(tell.portfolio, "binance", "XRP", "ann", "x")
    assert moved == (
        "binance said 100 XRP when we held 109, and we hold 110 now: an engine that runs, or the next start, compares them again; "
        "decide then"
    )
    assert settle_by_adjustment(tell.portfolio, "c1", "", "ann", "x") == moved, "nothing is settled without it"
    assert adjustment(tell.portfolio, "upbit", "XRP", "ann", "x") == "upbit disputes no balance of XRP"
    assert adjustment(tell.portfolio, "okx", "XRP", "ann", "x") == "no venue 'okx' in this journal; there are binance, upbit"
    assert adjustment(Telling().portfolio, "okx", "XRP", "ann", "x") == "no venue 'okx' in this journal; there are none yet"


@pytest.mark.parametrize(
    ("exchange", "asset", "target", "told"),
    [
        ("upbit", "XRP", "0", None),
        ("upbit", "XRP", "0.5", None),
        ("upbit", "USDT", "5", None),  # another venue holds it
        ("upbit", "ADA", "0", "the target of ADA at upbit is 0 already"),
        ("upbit", "ADA", "0.5", "no venue holds ADA, or ever did: name an asset of arbtui stock"),
        ("upbit", "XRP", "-0.1", "-0.1 is no target: give 0 or more units of XRP"),
        ("upbit", "XRP", "Infinity", "Infinity is no target: give 0 or more units of XRP"),
        ("okx", "XRP", "5", "no venue 'okx' in this journal; there are binance, upbit"),
        ("upbit", "XRP", "100", "the target of XRP at upbit is 100 already"),
    ],
)
def test_a_target_is_what_a_venue_could_hold(exchange: str, asset: str, target: str, told: str | None) -> None:
    portfolio = Telling().start().portfolio
    before = Decimal(100) if asset == "XRP" else ZERO
    found = new_target(portfolio, exchange, asset, Decimal(target), "ann", "x")
    assert found == (told or (TargetSet(exchange, asset, Decimal(target), before, "ann", "x"),))


def test_an_asset_that_was_only_ever_a_target_or_only_ever_traded_is_known() -> None:
    tell = Telling().start()
    tell(TargetSet("binance", "ADA", ONE, ZERO, "ann", "x"))
    assert new_target(tell.portfolio, "upbit", "ADA", ONE, "ann", "x") == (TargetSet("upbit", "ADA", ONE, ZERO, "ann", "x"),)
    tell.fill("c1", fill_of("binance", Side.BUY, ONE, ONE, "t", base="SOL"), PRICES)
    assert new_target(tell.portfolio, "upbit", "SOL", ONE, "ann", "x") == (TargetSet("upbit", "SOL", ONE, ZERO, "ann", "x"),)


MOVE = Transfer("XRP", "binance", "upbit", Decimal(50), "net", Decimal("0.5"), 4.0)


def moved(**change: Any) -> Transfer:
    return Transfer(**{name: getattr(MOVE, name) for name in MOVE.__slots__} | change)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"qty": Decimal(100)}, None),  # all that is free
        ({"qty": Decimal("100.1")}, "binance has 100 XRP free, not 100.1"),
        ({"fee": ZERO}, None),
        ({"fee": Decimal("-0.1")}, "50 XRP with a fee of -0.1: the amount must be more than the fee, both 0 or more"),
        ({"fee": Decimal("49.9")}, None),
        ({"fee": Decimal(50)}, "50 XRP with a fee of 50: the amount must be more than the fee, both 0 or more"),
        ({"fee": Decimal("Infinity")}, "50 XRP with a fee of Infinity: the amount must be more than the fee, both 0 or more"),
        ({"qty": Decimal("Infinity")}, "Infinity XRP with a fee of 0.5: the amount must be more than the fee, both 0 or more"),
        ({"minutes": 0.5}, None),
        ({"minutes": 100_000.0}, None),
        ({"minutes": 100_001.0}, "100001 min: give what it usually takes, more than 0"),
        ({"minutes": 0.0}, "0 min: give what it usually takes, more than 0"),
        ({"sender": "okx"}, "no venue 'okx' in this journal; there are binance, upbit"),
        ({"receiver": "okx"}, "no venue 'okx' in this journal; there are binance, upbit"),
        ({"sender": "upbit"}, "a transfer from upbit to itself moves nothing"),
    ],
)
def test_a_transfer_is_of_what_is_free_and_leaves_something_after_its_fee(change: dict[str, Any], why: str | None) -> None:
    tell = Telling().start()
    wanted = moved(**change)
    facts = ("XRP", "binance", "upbit", "net", wanted.qty, wanted.fee, wanted.minutes)
    number = f"T{tell.portfolio.state.seq + 1}"
    assert begin_transfer(tell.portfolio, wanted, "ann", "x") == (why or (TransferBegun(number, *facts, "ann", "x"),))


def test_in_a_journal_without_a_venue_there_is_none_to_name() -> None:
    assert begin_transfer(Telling().portfolio, MOVE, "ann", "x") == "no venue 'binance' in this journal; there are none yet"


def test_only_one_the_same_way_of_the_same_coin_waits_for_another() -> None:
    tell = Telling().start(balances={name: {"XRP": Decimal(100), "ADA": Decimal(100)} for name in ("binance", "upbit", "okx")})
    tell(*begin_transfer(tell.portfolio, moved(qty=Decimal(20)), "ann", "x"))
    for change in ({"asset": "ADA"}, {"sender": "okx"}, {"receiver": "okx"}, {"sender": "upbit", "receiver": "binance"}):
        assert not isinstance(begin_transfer(tell.portfolio, moved(**change), "ann", "x"), str)
    (one,) = tell.portfolio.open_transfers
    told = f"{one.id} moves XRP from binance to upbit already (BEGUN): wait for it, or settle it"
    assert begin_transfer(tell.portfolio, moved(qty=Decimal(30)), "ann", "x") == told
    tell(TransferSettled(one.id, "cancelled", "ann", "x"))
    assert not isinstance(begin_transfer(tell.portfolio, moved(qty=Decimal(30)), "ann", "x"), str)


def test_a_cycle_moves_what_it_has_set_aside_itself() -> None:
    tell = Telling().start()
    tell.open("c1", leg(0, "binance", Side.BUY, Decimal(10), Decimal(2)), reserved=(("binance", "XRP", Decimal(60)),))
    assert begin_transfer(tell.portfolio, MOVE, "ann", "x") == "binance has 40 XRP free, not 50"
    events = begin_transfer(tell.portfolio, MOVE, "ann", "x", "c1")
    assert not isinstance(events, str)
    assert [(type(event), getattr(event, "cycle_id", "")) for event in events] == [(TransferBegun, "c1")]


@pytest.mark.parametrize(
    ("steps", "allowed"),
    [("begun", ("cancelled",)), ("left", ("returned", "lost")), ("part came", ("returned", "lost")), ("arrived", ()), ("settled", ())],
)
def test_a_transfer_that_does_not_come_whole_is_settled_as_what_it_can_have_been(steps: str, allowed: tuple[str, ...]) -> None:
    tell = Telling().start()
    tell(*begin_transfer(tell.portfolio, MOVE, "ann", "x"))
    (one,) = tell.portfolio.open_transfers
    if steps == "settled":
        tell(TransferSettled(one.id, "cancelled", "ann", "x"))
    elif steps != "begun":
        tell(TransferLeft(one.id, "binance", "XRP", Decimal(50)))
        if steps != "left":
            tell(TransferArrived(one.id, "upbit", "XRP", Decimal(20 if steps == "part came" else 49)))
    for how in ("cancelled", "returned", "lost", "other"):
        told = settle_transfer(tell.portfolio, one.id, how, "bob", "y")
        if how in allowed:
            assert told == (TransferSettled(one.id, how, "bob", "y"),)
        elif allowed:
            word = "it has not left yet" if steps == "begun" else "it has left"
            assert told == f"{one.id}: {word}, so it can be settled as {' or '.join(allowed)}"
        else:
            assert told == f"{one.id} is not under way; open transfers: none"
    assert settle_transfer(tell.portfolio, "T0", "lost", "bob", "y") == (
        f"T0 is not under way; open transfers: {one.id if allowed else 'none'}"
    )


def test_what_is_to_be_done_is_told_before_it_is_typed() -> None:
    tell = Telling().start()
    tell(*begin_transfer(tell.portfolio, MOVE, "ann", "x"))
    (one,) = tell.portfolio.open_transfers
    tell(TransferLeft(one.id, "binance", "XRP", Decimal(50)), TransferArrived(one.id, "upbit", "XRP", Decimal(20)))
    portfolio = tell.portfolio
    assert [settle_transfer_preview(portfolio, one.id, how) for how in ("cancelled", "returned", "lost", "other")] == [
        f"{one.id} cancelled: nothing left binance: 50 XRP may be used there again",
        f"{one.id} returned: 30 XRP are back at binance",
        f"{one.id} lost: 30 XRP do not come any more: that is a loss",
        f"{one.id} other: ",
    ]
    assert settle_transfer_preview(portfolio, "T0", "lost") == ""
    assert target_preview(portfolio, "binance", "XRP", Decimal(7)) == (
        "target of XRP at binance: 100 -> 7 (it holds 50); nothing is traded or moved"
    )
    assert "cycle c1 left" in write_off_preview("c1")
    assert "cycle c1 left" in settling_adjustment_preview("c1")
    assert "binance's word for its balance of XRP" in adjustment_preview(portfolio, "binance", "XRP")


@pytest.mark.parametrize(
    ("name", "reason", "why"),
    [
        ("desk", "x", None),
        (" desk ", " x ", None),
        ("Desk", "x", "type the profile's name, desk"),
        ("", "x", "type the profile's name, desk"),
        ("desk", "  ", "a reason is needed: it is kept in the journal"),
    ],
)
def test_a_confirmation_is_the_profile_s_name_and_a_reason(name: str, reason: str, why: str | None) -> None:
    assert untyped("desk", name, reason) == why
