"""A venue's balances against ours: what is a dispute, what is dust, what is only late, and when a dispute is over."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.exchanges.adapter import ExchangeAdapter
from arbtui.exchanges.rate_limit import Lane
from arbtui.journal.events import Adjusted, BalanceDisputed, Event, FillRecorded, MarksTaken, OrderChanged, TransferBegun, TransferLeft
from arbtui.journal.journal import Journal
from arbtui.model.clock import LoopClock
from arbtui.model.errors import VenueFailed
from arbtui.model.money import ZERO
from arbtui.model.order import Balance, OrderState, Side
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.operator_events import Transfer, adjustment, begin_transfer
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.position_sync import CrossExchangePositionSync, Mismatch, coarsest_lots
from arbtui.portfolio.projections import ProjectingPortfolio
from arbtui.portfolio.restore import restore
from arbtui.portfolio.transfers import TransferAccount
from tests.portfolio.telling import START, Telling, fill_of, intent_of, leg, marks_of

LOT = Decimal("0.1")


MARKS = {"XRP": Decimal("2.165"), "KRW": Decimal("0.0007")}


class Venue:
    """Only the part of an adapter that is asked here: its balances are what a test says."""

    def __init__(self, held: Mapping[str, Decimal]) -> None:
        self.held = dict(held)
        self.meanwhile: Callable[[], None] = lambda: None
        self.refuses = self.hangs = False

    async def fetch_balances(self, lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
        if self.refuses:
            raise VenueFailed("no answer")
        self.meanwhile()
        if self.hangs:
            await asyncio.Event().wait()
        return {asset: Balance(total) for asset, total in self.held.items()}


class Desk:
    """A journal with its portfolio, two venues, and the comparison under test."""

    def __init__(self, journal: Journal, clock: LoopClock, portfolio: Portfolio) -> None:
        self.journal, self.portfolio = journal, portfolio
        self.venues = {name: Venue(held) for name, held in START.items()}
        self.told: list[Mismatch] = []
        self.sync = CrossExchangePositionSync(
            adapters=cast(Mapping[str, ExchangeAdapter], self.venues),
            portfolio=portfolio,
            journal=journal,
            clock=clock,
            lots={"XRP": LOT},
            on_dispute=self.told.append,
        )

    async def reads(self, count: int, apart_s: float = 1.0) -> None:
        for _ in range(count):
            await self.sync.check()
            await asyncio.sleep(apart_s)

    @property
    def disputes(self) -> list[tuple[str, str]]:
        return [(exchange, asset) for exchange, held in self.portfolio.state.disputes.items() for asset in held]


def on_desk(folder: Path, what: Callable[[Desk], Awaitable[None]]) -> None:
    async def main() -> None:
        clock = LoopClock(asyncio.get_running_loop())
        journal = await Journal.open(folder / "journal.db", clock=clock, door="sync", salt="s")
        portfolio = Portfolio()
        told = Telling().start()
        told.marks(MARKS)
        opening = told.told
        journal.fold = ProjectingPortfolio(portfolio)
        portfolio.state.seq = journal.seq
        try:
            await journal.commit(*(recorded.event for recorded in opening))
            await what(Desk(journal, clock, portfolio))
        finally:
            await journal.close()

    run_virtual(main())


def test_what_agrees_is_no_news(tmp_path: Path) -> None:
    async def what(desk: Desk) -> None:
        before = desk.journal.seq
        await desk.reads(5)
        assert (desk.journal.seq, desk.told, desk.sync.has_doubts) == (before, [], False)
        assert set(desk.sync.read_at) == {"upbit", "binance"}

    on_desk(tmp_path, what)


def test_f67_the_same_difference_in_three_reads_a_second_apart_is_a_dispute_told_once(tmp_path: Path) -> None:
    async def what(desk: Desk) -> None:
        desk.venues["upbit"].held["KRW"] -= 1000
        await desk.reads(2)
        assert (desk.disputes, desk.sync.has_doubts) == ([], True)
        await desk.reads(1)
        found = Mismatch("upbit", "KRW", Decimal(300_000), Decimal(299_000))
        assert (desk.disputes, desk.told) == ([("upbit", "KRW")], [found])
        assert (desk.sync.disputed("upbit"), desk.sync.disputed("okx")) == (frozenset({"KRW"}), frozenset[str]())
        before = desk.journal.seq
        await desk.reads(7)
        assert (desk.told, desk.journal.seq) == ([found], before)  # the same one is no news
        desk.venues["upbit"].held["KRW"] -= 500
        await desk.reads(3)
        assert [(each.ours, each.theirs) for each in desk.told[1:]] == [(Decimal(300_000), Decimal(298_500))]
        assert desk.portfolio.total("upbit", "KRW") == 300_000  # nothing is taken over without an operator

    on_desk(tmp_path, what)


def test_reads_within_one_second_are_one_look(tmp_path: Path) -> None:
    async def what(desk: Desk) -> None:
        desk.venues["upbit"].held["KRW"] -= 1000
        await desk.reads(18, 0.1)
        assert desk.disputes == []
        await desk.reads(2)
        assert desk.disputes == [("upbit", "KRW")]

    on_desk(tmp_path, what)


def test_a_difference_that_changes_begins_anew(tmp_path: Path) -> None:
    """A venue that is still booking says something else each time."""

    async def what(desk: Desk) -> None:
        for _ in range(6):
            desk.venues["upbit"].held["KRW"] -= 1000
            await desk.reads(2)
        assert desk.disputes == []

    on_desk(tmp_path, what)


def test_an_asset_that_the_venue_does_not_name_is_none_of_it_and_one_pushed_alone_says_nothing_of_others(tmp_path: Path) -> None:
    async def what(desk: Desk) -> None:
        for _ in range(3):
            desk.sync.compare("upbit", {"KRW": Balance(Decimal(200_000), Decimal(100_000))})
            await asyncio.sleep(1)
        assert desk.disputes == []
        del desk.venues["upbit"].held["XRP"]
        await desk.reads(3)
        assert [(found.asset, found.theirs) for found in desk.told] == [("XRP", ZERO)]

    on_desk(tmp_path, what)


def test_pushed_balances_and_those_that_were_asked_for_count_alike(tmp_path: Path) -> None:
    async def what(desk: Desk) -> None:
        desk.venues["upbit"].held["KRW"] = Decimal(299_000)
        await desk.reads(1)
        desk.sync.compare("upbit", {"KRW": Balance(Decimal(299_000))})
        await asyncio.sleep(1)
        await desk.reads(1)
        assert desk.disputes == [("upbit", "KRW")]

    on_desk(tmp_path, what)


def test_a_dispute_closes_when_the_venue_agrees_again(tmp_path: Path) -> None:
    async def what(desk: Desk) -> None:
        desk.venues["upbit"].held["KRW"] -= 1000
        await desk.reads(3)
        assert desk.disputes == [("upbit", "KRW")]
        desk.venues["upbit"].held["KRW"] += 1000
        await desk.reads(1)
        assert desk.disputes == []
        before = desk.journal.seq
        await desk.reads(3)
        assert desk.journal.seq == before

    on_desk(tmp_path, what)


@pytest.mark.parametrize("state", [OrderState.SENDING, OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED, OrderState.UNKNOWN])
def test_an_asset_of_an_open_order_is_left_alone_until_its_end_is_known(tmp_path: Path, state: OrderState) -> None:
    async def what(desk: Desk) -> None:
        planned = leg(0, "upbit", Side.BUY, Decimal(10), Decimal(3000))
        desk.journal.post(intent_of("c", planned, "o"), OrderChanged("o", state, "", ZERO, ""))
        for asset in ("KRW", "XRP"):
            desk.venues["upbit"].held[asset] -= 30
        desk.venues["binance"].held["XRP"] -= 30
        await desk.reads(5)
        assert desk.disputes == [("binance", "XRP")]  # another venue's stock is another balance
        desk.journal.post(OrderChanged("o", OrderState.EXPIRED, "v", ZERO, ""))
        await desk.reads(3)
        assert sorted(desk.disputes) == [("binance", "XRP"), ("upbit", "KRW"), ("upbit", "XRP")]

    on_desk(tmp_path, what)


def test_a_venues_word_from_before_a_fill_is_not_taken_after_it(tmp_path: Path) -> None:
    """A hedge or a flatten traded between the dispute and the person's word: what it sold was put back into our book."""

    async def what(desk: Desk) -> None:
        desk.venues["binance"].held["XRP"] -= 5
        await desk.reads(3)
        assert desk.disputes == [("binance", "XRP")]
        sold = fill_of("binance", Side.SELL, Decimal(2), Decimal("2.1"), "t1")
        await desk.journal.commit(FillRecorded(sold, "r1-1", 0, "stream", 0, {}))
        desk.venues["binance"].held["XRP"] -= 2
        refusal = adjustment(desk.portfolio, "binance", "XRP", "me", "seen")
        assert isinstance(refusal, str)
        assert "said 95 XRP when we held 100, and we hold 98 now" in refusal
        await desk.reads(3)
        decided = adjustment(desk.portfolio, "binance", "XRP", "me", "seen")
        assert isinstance(decided[0], Adjusted)
        assert decided[0].change == -5

    on_desk(tmp_path, what)


def test_an_asset_that_a_fill_just_moved_is_left_alone_for_a_moment(tmp_path: Path) -> None:
    async def what(desk: Desk) -> None:
        desk.venues["upbit"].held["KRW"] -= 1000
        for _ in range(6):
            desk.sync.moved("upbit", "KRW", "XRP")
            await desk.reads(1)
        assert (desk.disputes, desk.sync.has_doubts) == ([], False)
        await desk.reads(4)
        assert desk.disputes == [("upbit", "KRW")]

    on_desk(tmp_path, what)


def test_what_moved_while_the_venue_was_asked_says_nothing(tmp_path: Path) -> None:
    async def what(desk: Desk) -> None:
        def move() -> None:  # the amount as it was when the venue answered is not ours any more
            desk.journal.post(Adjusted("upbit", "KRW", Decimal(-1), "moved", "operator"))
            desk.venues["upbit"].held["KRW"] -= 1

        desk.venues["upbit"].held["KRW"] -= 1000
        desk.venues["upbit"].meanwhile = move
        await desk.reads(5)
        assert desk.disputes == []

    on_desk(tmp_path, what)


def test_what_others_do_while_the_venue_is_asked_keeps_no_asset_from_being_compared(tmp_path: Path) -> None:
    """Where much is traded something always moves: an asset is compared when it did not."""

    async def what(desk: Desk) -> None:
        def move() -> None:
            desk.journal.post(Adjusted("upbit", "KRW", Decimal(-1), "moved", "operator"))
            desk.journal.post(Adjusted("binance", "USDT", Decimal(-1), "moved", "operator"))

        desk.venues["upbit"].held["XRP"] -= 10
        desk.venues["upbit"].meanwhile = move
        await desk.reads(3)
        assert desk.disputes == [("upbit", "XRP")]

    on_desk(tmp_path, what)


def test_a_query_that_fails_is_not_a_zero(tmp_path: Path) -> None:
    async def what(desk: Desk) -> None:
        desk.venues["upbit"].refuses = True
        for _ in range(4):
            assert "upbit" in await desk.sync.check()
            await asyncio.sleep(1)
        assert desk.disputes == []

    on_desk(tmp_path, what)


def test_a_venue_that_does_not_answer_keeps_no_other_from_being_compared_and_nobody_waiting(tmp_path: Path) -> None:
    async def what(desk: Desk) -> None:
        desk.venues["upbit"].hangs = True
        desk.venues["binance"].held["USDT"] -= 1000
        clock = asyncio.get_running_loop().time
        for _ in range(3):
            began = clock()
            assert await desk.sync.check(5.0) == {"upbit": "no balances within 5 s"}
            assert clock() - began == 5.0
        assert desk.disputes == [("binance", "USDT")]

    on_desk(tmp_path, what)


def _adjusted(desk: Desk) -> list[tuple[str, str, Decimal, str]]:
    with closing(sqlite3.connect(desk.journal.path)) as db:
        rows = db.execute("SELECT exchange, asset, change, kind FROM adjustment ORDER BY seq").fetchall()
    return [(exchange, asset, Decimal(change), kind) for exchange, asset, change, kind in rows]


def test_what_is_too_small_to_trade_is_booked_quietly(tmp_path: Path) -> None:
    async def what(desk: Desk) -> None:
        desk.venues["upbit"].held["KRW"] -= Decimal("13.9")  # just under 0.01 USDT
        desk.venues["binance"].held["XRP"] += Decimal("0.09")
        await desk.reads(2)
        assert _adjusted(desk) == []
        await desk.reads(1)
        assert sorted(_adjusted(desk)) == [("binance", "XRP", Decimal("0.09"), "dust"), ("upbit", "KRW", Decimal("-13.9"), "dust")]
        assert (desk.told, desk.disputes) == ([], [])
        assert desk.portfolio.total("binance", "XRP") == desk.venues["binance"].held["XRP"]

    on_desk(tmp_path, what)


@pytest.mark.parametrize(("asset", "change"), [("KRW", Decimal(-15)), ("XRP", LOT), ("XRP", -LOT), ("KRW", Decimal(15))])
def test_what_could_be_traded_is_a_dispute(tmp_path: Path, asset: str, change: Decimal) -> None:
    async def what(desk: Desk) -> None:
        desk.venues["upbit"].held[asset] += change
        await desk.reads(3)
        assert (desk.disputes, _adjusted(desk)) == ([("upbit", asset)], [])

    on_desk(tmp_path, what)


def test_a_coin_without_a_price_or_a_lot_is_never_dust(tmp_path: Path) -> None:
    async def what(desk: Desk) -> None:
        desk.venues["upbit"].held["DOGE"] = Decimal("0.00000001")
        await desk.reads(3)
        assert (desk.disputes, _adjusted(desk)) == ([("upbit", "DOGE")], [])

    on_desk(tmp_path, what)


def test_dust_is_bounded_by_a_venues_day_and_the_desks_midnight_begins_a_new_one(tmp_path: Path) -> None:
    """A leak of a little each time must not be booked away for ever: one USDT a venue and day."""
    step = Decimal("0.09")  # about 0.195 USDT: five fit into a day

    async def leak(desk: Desk, venue: str, times: int) -> None:
        for _ in range(times):
            desk.venues[venue].held["XRP"] -= step
            await desk.reads(3)

    async def what(desk: Desk) -> None:
        await leak(desk, "upbit", 5)
        assert desk.disputes == []
        await leak(desk, "upbit", 1)
        assert desk.disputes == [("upbit", "XRP")]
        await leak(desk, "binance", 5)
        assert desk.disputes == [("upbit", "XRP")]  # each venue has its own
        await leak(desk, "binance", 1)
        assert desk.disputes == [("upbit", "XRP"), ("binance", "XRP")]
        desk.journal.post(MarksTaken("day", "2026-01-02", marks_of(MARKS)))
        await desk.reads(3)  # the new day has room for what the old one had not
        assert desk.disputes == []
        await leak(desk, "binance", 4)
        assert desk.disputes == []
        await leak(desk, "binance", 1)
        assert desk.disputes == [("binance", "XRP")]

    on_desk(tmp_path, what)


def test_a_restart_gives_the_days_dust_not_anew(tmp_path: Path) -> None:
    async def what(desk: Desk) -> None:
        desk.venues["upbit"].held["XRP"] -= Decimal("0.09")
        await desk.reads(3)
        booked = {"upbit": Decimal("0.09") * MARKS["XRP"]}
        assert desk.portfolio.state.quiet == booked
        assert restore(desk.journal.path)[1].state.quiet == booked

    on_desk(tmp_path, what)


def test_a_dispute_that_shrinks_to_dust_is_over(tmp_path: Path) -> None:
    async def what(desk: Desk) -> None:
        desk.venues["binance"].held["XRP"] -= 5
        await desk.reads(3)
        desk.venues["binance"].held["XRP"] += Decimal("4.95")
        await desk.reads(3)
        assert (desk.disputes, _adjusted(desk)) == ([], [("binance", "XRP", Decimal("-0.05"), "dust")])

    on_desk(tmp_path, what)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(["fill", "tell", "lose", "read", "wait"]), st.integers(1, 30)), max_size=25))
def test_a_venue_that_is_only_late_is_never_disputed_for_long(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """Whatever comes in between: once the venue says what we say, nothing is disputed; once it does not, that is, after three looks."""

    async def what(desk: Desk) -> None:
        held = desk.venues["upbit"].held
        late: list[Event] = []
        for kind, amount in steps:
            if kind == "fill":
                held["XRP"] -= amount
                late.append(_sold(amount, len(late)))
                desk.sync.moved("upbit", "XRP")
            elif kind == "tell" and late:
                desk.journal.post(late.pop(0))
                desk.sync.moved("upbit", "XRP")
            elif kind == "lose":
                held["XRP"] -= amount
            elif kind == "wait":
                await asyncio.sleep(amount)
            await desk.reads(1, 0.2)
        for event in late:
            desk.journal.post(event)
        await asyncio.sleep(2)
        await desk.reads(4)
        differs = desk.portfolio.total("upbit", "XRP") != held["XRP"]
        assert (("upbit", "XRP") in desk.disputes) is differs

    on_desk(tmp_path_factory.mktemp("desk"), what)


def _sold(amount: int, number: int) -> Event:
    return FillRecorded(fill_of("upbit", Side.SELL, Decimal(amount), Decimal(1), f"t{number}"), "c", 0, "stream", 0, {})


def test_the_coarsest_lot_of_a_coin_decides() -> None:
    assert coarsest_lots([("XRP", Decimal("0.1")), ("ADA", Decimal(1)), ("XRP", Decimal("0.01"))]) == {
        "XRP": Decimal("0.1"),
        "ADA": Decimal(1),
    }


# transfers

MOVE = Transfer("XRP", "binance", "upbit", Decimal(50), "XRP", Decimal("0.5"), 4.0)


async def _begin(desk: Desk) -> TransferAccount:
    events = begin_transfer(desk.portfolio, MOVE, "ann", "refill")
    assert not isinstance(events, str)
    await desk.journal.commit(*events)
    (transfer,) = desk.portfolio.open_transfers
    return transfer


def test_a_transfer_is_no_dispute_at_either_end_and_its_arrival_is_matched(tmp_path: Path) -> None:
    async def main(desk: Desk) -> None:
        transfer = await _begin(desk)
        await desk.reads(4)
        assert transfer.state == "BEGUN"
        desk.venues["binance"].held["XRP"] -= 50
        await desk.reads(4)
        assert transfer.state == "IN_TRANSIT"
        await desk.reads(4)
        desk.venues["upbit"].held["XRP"] += Decimal("49.5")
        await desk.reads(4)
        assert transfer.state == "ARRIVED"
        assert desk.disputes == []
        assert desk.portfolio.differences("upbit", desk.venues["upbit"].held) == []

    on_desk(tmp_path, main)


def test_one_that_came_has_left_whatever_the_sender_has_told_so_far(tmp_path: Path) -> None:
    async def main(desk: Desk) -> None:
        transfer = await _begin(desk)
        desk.venues["upbit"].held["XRP"] += Decimal("49.5")
        await desk.reads(4)
        assert transfer.state == "ARRIVED"
        desk.venues["binance"].held["XRP"] -= 50
        await desk.reads(4)
        assert desk.disputes == []

    on_desk(tmp_path, main)


def test_a_fee_on_top_and_a_short_arrival_are_taken_as_they_are(tmp_path: Path) -> None:
    async def main(desk: Desk) -> None:
        transfer = await _begin(desk)
        desk.venues["binance"].held["XRP"] -= Decimal("50.5")  # this venue takes its fee on top
        await desk.reads(4)
        desk.venues["upbit"].held["XRP"] += Decimal(30)
        await desk.reads(4)
        assert (transfer.state, transfer.left, transfer.expected) == ("PARTIAL", Decimal("50.5"), Decimal(20))
        desk.venues["upbit"].held["XRP"] += Decimal("19.9")
        await desk.reads(4)
        assert transfer.state == "ARRIVED"
        assert desk.disputes == []

    on_desk(tmp_path, main)


@pytest.mark.parametrize(("venue", "change"), [("binance", "-30"), ("binance", "3"), ("upbit", "70"), ("upbit", "-5")])
def test_a_difference_that_no_transfer_explains_is_disputed_all_the_same(tmp_path: Path, venue: str, change: str) -> None:
    async def main(desk: Desk) -> None:
        await _begin(desk)
        desk.venues[venue].held["XRP"] += Decimal(change)
        await desk.reads(4)
        assert desk.disputes == [(venue, "XRP")]

    on_desk(tmp_path, main)


def test_a_dispute_that_stood_before_the_person_told_of_it_is_closed_by_the_transfer(tmp_path: Path) -> None:
    async def main(desk: Desk) -> None:
        desk.venues["binance"].held["XRP"] -= 50
        await desk.reads(4)
        assert desk.disputes == [("binance", "XRP")]
        transfer = await _begin(desk)
        await desk.reads(4)
        assert transfer.state == "IN_TRANSIT"
        assert desk.portfolio.state.disputes["binance"] == {}

    on_desk(tmp_path, main)


def test_reads_that_agree_or_that_a_fill_disturbed_begin_the_row_anew(tmp_path: Path) -> None:
    async def main(desk: Desk) -> None:
        held = desk.venues["upbit"].held
        held["KRW"] -= 1000
        await desk.reads(2)
        held["KRW"] += 1000
        await desk.reads(1)
        assert not desk.sync.has_doubts
        held["KRW"] -= 1000
        await desk.reads(2)
        assert desk.disputes == []
        desk.sync.moved("upbit", "KRW")
        await desk.reads(1)
        assert not desk.sync.has_doubts
        await asyncio.sleep(2.0)
        await desk.reads(2)
        assert desk.disputes == []
        await desk.reads(1)
        assert (desk.disputes, desk.sync.has_doubts) == ([("upbit", "KRW")], False)

    on_desk(tmp_path, main)


def test_whoever_decides_learns_whether_it_is_disputed(tmp_path: Path) -> None:
    async def main(desk: Desk) -> None:
        before = desk.journal.seq
        assert desk.sync.decide("upbit", "KRW", Decimal(300_000), Decimal(299_990)) is False  # dust: less than a cent
        assert desk.journal.seq == before + 1, "an adjustment, and no dispute to close"
        await desk.journal.commit()
        assert desk.portfolio.total("upbit", "KRW") == 299_990
        assert desk.sync.decide("upbit", "KRW", Decimal(299_990), Decimal(200_000)) is True
        await desk.journal.commit()
        transfer = await _begin(desk)
        assert (desk.sync.is_awaited(transfer.receiver, "XRP"), desk.sync.is_awaited(transfer.sender, "XRP")) == (True, False)
        assert not desk.sync.is_awaited(transfer.receiver, "KRW")
        before = desk.journal.seq
        assert desk.sync.decide("binance", "XRP", Decimal(100), Decimal(50)) is False
        assert desk.journal.seq == before + 1, "it left, and no dispute to close"
        await desk.journal.commit()
        assert transfer.state == "IN_TRANSIT"

    on_desk(tmp_path, main)


def test_of_two_transfers_under_way_the_one_that_expects_about_as_much_has_come(tmp_path: Path) -> None:
    async def main(desk: Desk) -> None:
        dear = TransferBegun("T1", "XRP", "binance", "upbit", "XRP", Decimal(30), Decimal(10), 4.0, "me", "x")
        cheap = TransferBegun("T2", "XRP", "binance", "upbit", "XRP", Decimal(32), ZERO, 4.0, "me", "x")
        await desk.journal.commit(dear, TransferLeft("T1", "binance", "XRP", Decimal(30)))
        await desk.journal.commit(cheap, TransferLeft("T2", "binance", "XRP", Decimal(32)))
        desk.sync.decide("upbit", "XRP", Decimal(100), Decimal(129))  # 20 or 32 are expected
        await desk.journal.commit()
        transfers = desk.portfolio.state.transfers
        assert {name: one.received for name, one in transfers.items()} == {"T1": ZERO, "T2": Decimal(29)}

    on_desk(tmp_path, main)


@pytest.mark.parametrize(("change", "stock", "moved"), [("5", "5", "0"), ("19.7", "19.7", "0"), ("19.8", "0", "19.8"), ("60", "60", "0")])
def test_what_a_cycle_has_moved_comes_whole_and_a_part_is_of_a_move_of_stock(tmp_path: Path, change: str, stock: str, moved: str) -> None:
    async def main(desk: Desk) -> None:
        refill = TransferBegun("T1", "XRP", "okx", "upbit", "XRP", Decimal(80), Decimal("0.1"), 4.0, "me", "x")
        bought = TransferBegun("T2", "XRP", "binance", "upbit", "XRP", Decimal(20), Decimal("0.1"), 4.0, "arbtui", "cycle c1", "c1")
        await desk.journal.commit(refill, TransferLeft("T1", "okx", "XRP", Decimal(80)))
        await desk.journal.commit(bought, TransferLeft("T2", "binance", "XRP", Decimal(20)))
        desk.sync.decide("upbit", "XRP", Decimal(100), 100 + Decimal(change))
        await desk.journal.commit()
        transfers = desk.portfolio.state.transfers
        assert {name: one.received for name, one in transfers.items()} == {"T1": Decimal(stock), "T2": Decimal(moved)}

    on_desk(tmp_path, main)


def test_what_came_and_what_left_between_two_reads_are_both_known(tmp_path: Path) -> None:
    """Their sum alone shows: it is neither dust, nor a part of one of them."""

    async def main(desk: Desk) -> None:
        coming = TransferBegun("T1", "XRP", "upbit", "binance", "XRP", Decimal(50), Decimal("0.1"), 4.0, "me", "x")
        leaving = TransferBegun("T2", "XRP", "binance", "upbit", "XRP", Decimal("49.85"), Decimal("0.1"), 4.0, "me", "x")
        await desk.journal.commit(coming, TransferLeft("T1", "upbit", "XRP", Decimal(50)), leaving)
        assert desk.sync.decide("binance", "XRP", Decimal(100), Decimal("100.05")) is False
        await desk.journal.commit()
        transfers = desk.portfolio.state.transfers
        assert {name: one.state for name, one in transfers.items()} == {"T1": "ARRIVED", "T2": "IN_TRANSIT"}
        assert desk.portfolio.total("binance", "XRP") == Decimal("100.05")

    on_desk(tmp_path, main)


def test_of_a_coin_of_no_known_price_or_lot_nothing_is_dust(tmp_path: Path) -> None:
    async def main(desk: Desk) -> None:
        assert desk.sync.is_dust("upbit", "ADA", Decimal("1e-8")) is False
        await desk.journal.commit(MarksTaken("time", "2026-01-01", marks_of({"ADA": Decimal("0.5")})))
        assert not desk.sync.is_dust("upbit", "ADA", Decimal("1e-8")), "its lot is not known"
        small = {change: desk.sync.is_dust("upbit", "XRP", Decimal(change)) for change in ("0.0999", "-0.0999", "0.1", "-0.1")}
        assert small == {"0.0999": True, "-0.0999": True, "0.1": False, "-0.1": False}

    on_desk(tmp_path, main)


def test_a_dispute_that_a_transfer_explains_is_over(tmp_path: Path) -> None:
    async def main(desk: Desk) -> None:
        await desk.journal.commit(BalanceDisputed("binance", "XRP", Decimal(100), Decimal(50)))
        await desk.journal.commit(TransferBegun("T1", "XRP", "binance", "upbit", "XRP", Decimal(50), ZERO, 4.0, "me", "x"))
        assert desk.sync.decide("binance", "XRP", Decimal(100), Decimal(50)) is False
        await desk.journal.commit()
        assert (desk.disputes, desk.portfolio.total("binance", "XRP")) == ([], Decimal(50))

    on_desk(tmp_path, main)


def test_less_than_one_unit_comes_by_a_transfer_too_and_is_no_dust(tmp_path: Path) -> None:
    async def main(desk: Desk) -> None:
        await desk.journal.commit(TransferBegun("T1", "XRP", "binance", "upbit", "XRP", Decimal("0.05"), Decimal("0.001"), 4.0, "me", "x"))
        assert desk.sync.decide("upbit", "XRP", Decimal(100), Decimal("100.049")) is False
        await desk.journal.commit()
        assert desk.portfolio.state.transfers["T1"].state == "ARRIVED"
        assert _adjusted(desk) == []

    on_desk(tmp_path, main)


def test_what_has_left_already_explains_no_second_fall(tmp_path: Path) -> None:
    async def main(desk: Desk) -> None:
        begun = [
            TransferBegun(name, "XRP", "binance", "upbit", "XRP", Decimal(qty), ZERO, 4.0, "me", "x")
            for name, qty in (("T1", 20), ("T2", 30))
        ]
        await desk.journal.commit(*begun, TransferLeft("T1", "binance", "XRP", Decimal(20)))
        assert desk.sync.decide("binance", "XRP", Decimal(80), Decimal(30)), "neither of them is 50"
        assert desk.sync.decide("binance", "XRP", Decimal(80), Decimal(50)) is False

    on_desk(tmp_path, main)


def test_an_asset_that_neither_holds_is_no_difference_and_one_that_only_the_venue_holds_is(tmp_path: Path) -> None:
    async def main(desk: Desk) -> None:
        for total in (0, 1):
            desk.venues["upbit"].held["ADA"] = Decimal(total)
            await desk.reads(4)
            assert [(one.asset, one.ours, one.theirs) for one in desk.told] == [("ADA", ZERO, Decimal(1))] * total

    on_desk(tmp_path, main)


@pytest.mark.parametrize(("count", "disputed"), [(1, False), (2, False), (4, False), (5, True)])
def test_no_more_than_four_steps_are_looked_for_in_one_change(tmp_path: Path, count: int, disputed: bool) -> None:
    """Amounts of which no fewer come to the same."""

    async def main(desk: Desk) -> None:
        amounts = [Decimal(2**number) for number in range(count)]
        begun = [
            TransferBegun(f"T{number}", "XRP", "binance", f"v{number}", "XRP", amount, ZERO, 4.0, "me", "x")
            for number, amount in enumerate(amounts)
        ]
        await desk.journal.commit(*begun)
        assert desk.sync.decide("binance", "XRP", Decimal(100), 100 - sum(amounts, ZERO)) is disputed
        await desk.journal.commit()
        states = [one.state for one in desk.portfolio.state.transfers.values()]
        assert states == ["BEGUN" if disputed else "IN_TRANSIT"] * count

    on_desk(tmp_path, main)


@pytest.mark.parametrize("unit", [Decimal(1), Decimal("0.001")])
@pytest.mark.parametrize("seen", [True, False])
def test_of_several_steps_at_once_what_came_has_left_before_if_nobody_has_seen_it_leave(tmp_path: Path, seen: bool, unit: Decimal) -> None:
    async def main(desk: Desk) -> None:
        coming = TransferBegun("T1", "XRP", "upbit", "binance", "XRP", 50 * unit, unit / 2, 4.0, "me", "x")
        leaving = TransferBegun("T2", "XRP", "binance", "upbit", "XRP", 30 * unit, unit / 10, 4.0, "me", "x")
        await desk.journal.commit(coming, leaving, *([TransferLeft("T1", "upbit", "XRP", 50 * unit)] if seen else []))
        before, held = desk.journal.seq, 100 + unit * Decimal("19.5")
        assert desk.sync.decide("binance", "XRP", Decimal(100), held) is False
        await desk.journal.commit()
        assert desk.journal.seq == before + (2 if seen else 3), "it leaves once"
        transfers = desk.portfolio.state.transfers
        assert {name: one.state for name, one in transfers.items()} == {"T1": "ARRIVED", "T2": "IN_TRANSIT"}
        assert (desk.portfolio.total("binance", "XRP"), desk.portfolio.total("upbit", "XRP")) == (held, 100 - 50 * unit)

    on_desk(tmp_path, main)


@pytest.mark.parametrize(("change", "dust"), [("-0.01", True), ("0.01", True), ("-0.0101", False), ("0.0101", False)])
def test_a_cent_is_dust_of_cash_and_more_is_not(tmp_path: Path, change: str, dust: bool) -> None:
    async def main(desk: Desk) -> None:
        assert desk.sync.decide("binance", "USDT", Decimal(200), 200 + Decimal(change)) is not dust

    on_desk(tmp_path, main)


def test_what_is_dust_is_told_in_dollars_whatever_the_desk_counts_in(tmp_path: Path) -> None:
    """Where a dollar is 1,400: a cent is 14, and 1,400 are booked a day."""

    async def main(desk: Desk) -> None:
        clock = LoopClock(asyncio.get_running_loop())
        adapters = cast(Mapping[str, ExchangeAdapter], desk.venues)
        sync = CrossExchangePositionSync(
            adapters=adapters, portfolio=desk.portfolio, journal=desk.journal, clock=clock, lots={}, dollar=Decimal(1400)
        )
        assert [sync.is_dust("binance", "USDT", Decimal(change)) for change in ("14", "-14", "14.01")] == [True, True, False]
        await desk.journal.commit(Adjusted("binance", "USDT", Decimal(-1393), "x", "dust"))
        assert [sync.is_dust("binance", "USDT", Decimal(change)) for change in ("7", "-7", "7.01")] == [True, True, False]
        assert sync.is_dust("upbit", "USDT", Decimal(14)), "another venue has an allowance of its own"

    on_desk(tmp_path, main)


def test_a_hundred_cents_a_day_are_booked_at_a_venue_and_not_one_more(tmp_path: Path) -> None:
    async def main(desk: Desk) -> None:
        cent = Decimal("0.01")
        for number in range(100):
            assert not desk.sync.decide("binance", "USDT", 200 - number * cent, 200 - (number + 1) * cent)
            await desk.journal.commit()
        assert desk.portfolio.total("binance", "USDT") == 199
        assert desk.sync.decide("binance", "USDT", Decimal(199), 199 - cent)

    on_desk(tmp_path, main)
