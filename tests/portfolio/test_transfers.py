"""Transfers that a person begins: reserved, then in transit, then there; equity moves by the network's fee alone."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from arbtui.journal.events import Recorded, TransferArrived, TransferBegun, TransferLeft, TransferSettled, decode, encode
from arbtui.model.money import ONE, ZERO
from arbtui.portfolio.accounts import Settled
from arbtui.portfolio.inventory import InventoryLedger
from arbtui.portfolio.operator_events import Transfer, begin_transfer, settle_transfer
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.transfers import TransferAccount, transfer_facts
from arbtui.routes.hops import Node
from tests.portfolio.telling import Telling
from tests.proof.steps import machine_settings

PRICES = {"KRW": Decimal("0.0007"), "XRP": Decimal(2), "USDT": ONE}
XRP = Transfer("XRP", "binance", "upbit", Decimal(50), "XRP", Decimal("0.5"), 4.0)


def begun() -> Telling:
    tell = Telling().start()
    tell.marks(PRICES, "day")
    events = begin_transfer(tell.portfolio, XRP, "ann", "refill")
    assert not isinstance(events, str)
    tell(*events)
    return tell


def test_a_person_reads_what_leaves_and_what_comes() -> None:
    assert XRP.in_words() == "50 XRP from binance to upbit by XRP, of which 49.5 should come in 4 min"


def the_one(tell: Telling) -> Any:
    (found,) = tell.portfolio.state.transfers.values()
    return found


def left(tell: Telling, qty: str = "50") -> None:
    tell(TransferLeft(the_one(tell).id, "binance", "XRP", Decimal(qty)))


def came(tell: Telling, qty: str) -> None:
    tell(TransferArrived(the_one(tell).id, "upbit", "XRP", Decimal(qty)))


def test_once_begun_no_cycle_may_use_it_and_until_it_is_seen_to_leave_it_is_still_there() -> None:
    tell = Telling().start()
    node = Node("binance", "XRP")
    tell.portfolio.follow({("binance", "XRP"): node})
    tell(*begin_transfer(tell.portfolio, XRP, "ann", "refill"))
    assert the_one(tell).state == "BEGUN"
    assert tell.portfolio.total("binance", "XRP") == 100
    assert tell.portfolio.available("binance", "XRP") == 50 == node.available
    (row,) = InventoryLedger(tell.portfolio).read(("XRP",))
    by_venue = {place.exchange: place for place in row.places}
    assert by_venue["binance"].leaving == by_venue["binance"].reserved == 50
    assert by_venue["upbit"].coming == Decimal("49.5")


def test_on_its_way_it_is_in_equity_and_at_no_venue_and_its_fee_is_rotation() -> None:
    tell = begun()
    before = tell.portfolio.value()
    left(tell)
    assert the_one(tell).state == "IN_TRANSIT"
    assert tell.portfolio.total("binance", "XRP") == tell.portfolio.available("binance", "XRP") == 50
    assert tell.portfolio.in_transit() == {"XRP": Decimal(50)}
    assert tell.portfolio.value() == before
    came(tell, "49.5")
    assert the_one(tell).state == "ARRIVED"
    assert tell.portfolio.total("upbit", "XRP") == Decimal("149.5")
    assert tell.portfolio.in_transit() == {}
    after = tell.portfolio.value()
    assert after.equity == before.equity - 1
    pnl = after.since(before)
    assert (pnl.rotation, pnl.total, pnl.adjustments) == (-ONE, -ONE, ZERO)
    assert tell.portfolio.state.targets["upbit"]["XRP"] == 100  # where stock should be is a person's to say


def test_what_comes_in_parts_is_open_until_all_of_it_came() -> None:
    tell = begun()
    left(tell)
    came(tell, "20")
    assert (the_one(tell).state, the_one(tell).expected) == ("PARTIAL", Decimal("29.5"))
    came(tell, "29.5")
    assert the_one(tell).state == "ARRIVED"


def test_what_does_not_come_a_person_settles() -> None:
    tell = begun()
    transfer_id = the_one(tell).id
    assert "can be settled as cancelled" in str(settle_transfer(tell.portfolio, transfer_id, "lost", "ann", "x"))
    left(tell)
    assert "can be settled as returned or lost" in str(settle_transfer(tell.portfolio, transfer_id, "cancelled", "ann", "x"))
    came(tell, "20")
    before = tell.portfolio.value()
    tell(*settle_transfer(tell.portfolio, transfer_id, "lost", "ann", "gone"))
    assert the_one(tell).state == "LOST"
    assert tell.portfolio.value().since(before).rotation == -60
    assert "not under way" in str(settle_transfer(tell.portfolio, transfer_id, "lost", "ann", "x"))


def test_what_came_back_is_there_again_and_what_never_left_is_free_again() -> None:
    tell = begun()
    left(tell)
    tell(TransferSettled(the_one(tell).id, "returned", "ann", "x"))
    assert tell.portfolio.available("binance", "XRP") == 100
    other = begun()
    other(TransferSettled(the_one(other).id, "cancelled", "ann", "x"))
    assert other.portfolio.available("binance", "XRP") == 100
    assert other.portfolio.value().so_far.rotation == 0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"qty": Decimal(500)}, "binance has 100 XRP free, not 500"),
        ({"qty": Decimal("0.5")}, "the amount must be more than the fee"),
        ({"qty": Decimal("NaN")}, "the amount must be more than the fee"),
        ({"receiver": "binance"}, "moves nothing"),
        ({"receiver": "kraken"}, "no venue 'kraken'"),
        ({"minutes": 0.0}, "give what it usually takes"),
    ],
)
def test_one_that_makes_no_sense_is_refused_in_words(change: dict[str, Any], why: str) -> None:
    wanted = {name: getattr(XRP, name) for name in XRP.__slots__} | change
    assert why in str(begin_transfer(Telling().start().portfolio, Transfer(**wanted), "ann", "x"))


def test_a_second_one_the_same_way_waits_for_the_first() -> None:
    tell = begun()
    assert "already (BEGUN)" in str(begin_transfer(tell.portfolio, XRP, "ann", "x"))
    assert "already (BEGUN)" in str(begin_transfer(tell.portfolio, replace(XRP, qty=Decimal(20)), "ann", "x"))


@pytest.mark.parametrize(("qty", "waits"), [("48.99", False), ("49", True), ("50", True), ("51", True), ("51.01", False)])
def test_one_of_a_cycle_waits_for_one_of_stock_only_where_their_amounts_are_alike(qty: str, waits: bool) -> None:
    def refused(tell: Telling, cycle_id: str) -> bool:
        said = begin_transfer(tell.portfolio, replace(XRP, qty=Decimal(qty), fee=Decimal("0.1")), "arbtui", "x", cycle_id)
        return isinstance(said, str) and "already (BEGUN)" in said

    tell = Telling().start()
    tell(TransferBegun("T9", "XRP", "binance", "upbit", "XRP", Decimal(50), Decimal("0.5"), 4.0, "ann", "refill"))
    tell.portfolio.state.balances["binance"]["XRP"] = Decimal(200)
    assert refused(tell, "c1") is waits
    assert refused(tell, ""), "two of stock may each come in parts"
    tell = Telling().start()
    tell(TransferBegun("T9", "XRP", "binance", "upbit", "XRP", Decimal(50), Decimal("0.5"), 4.0, "arbtui", "cycle c1", "c1"))
    tell.portfolio.state.balances["binance"]["XRP"] = Decimal(200)
    assert refused(tell, "") is waits
    assert refused(tell, "c2"), "two of cycles are of about the same size"


def account(**change: Any) -> TransferAccount:
    """50 XRP, of which the network keeps 0.5, usually within four minutes."""
    told = TransferAccount("T1", "XRP", "binance", "upbit", "XRP", Decimal(50), Decimal("0.5"), 4.0, "ann", "refill", 1_000)
    return msgspec.structs.replace(told, **change)


LEFT = {"left": Decimal(50), "left_ms": 5_000}


@pytest.mark.parametrize(("received", "complete"), [("48.9", False), ("49", True), ("49.5", True), ("50", True)])
def test_it_is_complete_when_no_more_is_missing_than_twice_the_fee(received: str, complete: bool) -> None:
    one = account(**LEFT, received=Decimal(received), received_ms=9_000)
    assert (one.is_complete, one.is_open, one.state) == (complete, not complete, "ARRIVED" if complete else "PARTIAL")
    assert one.under_way == (0 if complete else 50 - Decimal(received))


@pytest.mark.parametrize(
    ("change", "fits"), [("-49.4", False), ("-49.5", True), ("-50", True), ("-50.5", True), ("-50.6", False), ("50", False)]
)
def test_a_fall_is_its_departure_within_the_fee_and_once(change: str, fits: bool) -> None:
    assert account().fits_departure(Decimal(change)) is fits
    assert not account(**LEFT).fits_departure(Decimal(change))


@pytest.mark.parametrize(("change", "fits"), [("48.9", False), ("49", True), ("50", True), ("50.1", False)])
def test_a_rise_before_it_was_seen_to_leave_is_its_arrival_when_it_is_all_of_it(change: str, fits: bool) -> None:
    assert account().fits_arrival(Decimal(change)) is fits
    assert not account(settled=Settled("cancelled", "ann", "x", 1)).fits_arrival(Decimal(change))


@pytest.mark.parametrize(("change", "fits"), [("-1", False), ("0", False), ("0.1", True), ("30", True), ("30.1", False)])
def test_a_rise_afterwards_is_of_it_up_to_what_is_under_way(change: str, fits: bool) -> None:
    assert account(**LEFT, received=Decimal(20), received_ms=9_000).fits_arrival(Decimal(change)) is fits


def test_what_is_expected_is_what_left_less_the_fee_and_what_came() -> None:
    assert account().expected == Decimal("49.5")
    on_top = account(left=Decimal("50.5"), left_ms=5_000)
    assert on_top.expected == 50
    assert msgspec.structs.replace(on_top, received=Decimal(20), received_ms=9_000).expected == 30
    assert account(**LEFT, received=Decimal("48.8"), received_ms=9_000).expected == Decimal("0.7")
    assert account(**LEFT, settled=Settled("lost", "ann", "x", 1)).expected == 0
    assert account(received=Decimal(60), received_ms=9_000).expected == 0


def test_it_is_late_after_twice_the_usual_minutes_from_when_it_left_or_was_begun() -> None:
    assert account().late_at_ms() == 1_000 + 2 * 4 * 60_000
    assert account(**LEFT).late_at_ms() == 5_000 + 2 * 4 * 60_000
    assert transfer_facts(account(**LEFT)) == {
        "id": "T1", "state": "IN_TRANSIT", "asset": "XRP", "from": "binance", "to": "upbit", "network": "XRP", "qty": "50", "fee": "0.5",
        "left": "50", "received": "0", "expected": "49.5", "minutes": 4.0, "begun": "1970-01-01T00:00:01.000Z",
        "late_after": "1970-01-01T00:08:05.000Z", "by": "ann", "reason": "refill", "settled": None, "cycle_id": None,
    }  # fmt: skip
    ended = transfer_facts(account(**LEFT, settled=Settled("lost", "bob", "gone", 1)))
    assert (ended["state"], ended["late_after"]) == ("LOST", None)
    assert ended["settled"] == {"how": "lost", "by": "bob", "reason": "gone"}


class Moves(RuleBasedStateMachine):
    """Transfers in any order of steps, told twice, too late or to the wrong one, with restarts in between."""

    def __init__(self) -> None:
        super().__init__()
        self.live = Portfolio()
        self.journal: list[Recorded] = []
        self.fees = ZERO

    def record(self, *events: Any) -> None:
        for event in events:
            recorded = Recorded(len(self.journal) + 1, 1000 * len(self.journal), "r1", decode(*encode(event)))
            self.journal.append(recorded)
            self.live.apply(recorded)

    @initialize()
    def begin(self) -> None:
        tell = Telling(self.live).start()
        tell.marks(PRICES, "day")
        self.journal = list(tell.told)
        self.opening = self.live.value().equity

    @rule(qty=st.integers(1, 60), fee=st.integers(0, 5), back=st.booleans())
    def begin_one(self, qty: int, fee: int, back: bool) -> None:
        places = ("upbit", "binance") if back else ("binance", "upbit")
        events = begin_transfer(self.live, Transfer("XRP", *places, Decimal(qty), "XRP", Decimal(fee), 1.0), "me", "x")
        if not isinstance(events, str):
            self.record(*events)

    @precondition(lambda self: self.live.state.transfers)
    @rule(data=st.data(), step=st.sampled_from(["left", "came", "part", "settle", "twice"]))
    def step(self, data: st.DataObject, step: str) -> None:
        one = self.live.state.transfers[data.draw(st.sampled_from(sorted(self.live.state.transfers)))]
        if step == "left" or step == "twice":
            self.record(TransferLeft(one.id, one.sender, "XRP", one.qty))
        elif step in ("came", "part") and one.under_way and one.expected:
            self.record(TransferArrived(one.id, one.receiver, "XRP", one.expected if step == "came" else one.expected / 2))
        elif step == "settle":
            for how in ("cancelled", data.draw(st.sampled_from(["lost", "returned"]))):
                events = settle_transfer(self.live, one.id, how, "me", "x")
                if not isinstance(events, str):
                    self.record(*events)
                    break

    @rule(lost=st.integers(0, 6))
    def restart(self, lost: int) -> None:
        """From a snapshot of any earlier moment and the events after it."""
        at = max(0, len(self.journal) - lost)
        again = Portfolio()
        for recorded in self.journal[:at]:
            again.apply(recorded)
        again = Portfolio.load(again.dump())
        for recorded in self.journal[at:]:
            again.apply(recorded)
        assert again.dump() == self.live.dump()
        self.live = again

    @invariant()
    def nothing_is_made_and_only_fees_and_losses_go(self) -> None:
        if not self.journal:
            return
        state = self.live.state
        held = sum((by.get("XRP", ZERO) for by in state.balances.values()), ZERO)
        assert held + self.live.in_transit().get("XRP", ZERO) == state.counters.qty["XRP"]
        gone = 200 - state.counters.qty["XRP"]
        assert gone >= 0
        value = self.live.value()
        assert value.so_far.rotation == -2 * gone
        assert value.equity == self.opening - 2 * gone
        for exchange in ("upbit", "binance"):
            assert self.live.available(exchange, "XRP") >= 0
            assert self.live.available(exchange, "XRP") + self.live.leaving(exchange, "XRP") == self.live.total(exchange, "XRP")

    @invariant()
    def live_is_the_fold(self) -> None:
        again = Portfolio()
        for recorded in self.journal:
            again.apply(recorded)
        if self.journal:
            assert again.dump() == self.live.dump()


TestMoves = Moves.TestCase
TestMoves.settings = machine_settings(examples=25, steps=30)


def test_begun_is_journaled_with_who_and_why() -> None:
    tell = begun()
    event = tell.told[-1].event
    assert isinstance(event, TransferBegun)
    assert (event.by, event.reason, event.transfer_id) == ("ann", "refill", f"T{tell.told[-1].seq}")
