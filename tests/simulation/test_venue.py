import asyncio
import sqlite3
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.journal.database import Statement
from arbtui.model.clock import SystemClock
from arbtui.model.errors import OrderRejected
from arbtui.model.order import Fill, OrderState, Side
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.ledger import VenueLedger
from arbtui.simulation.order_request import OrderRequest
from arbtui.simulation.venue import VenueCore
from tests.simulation.worlds import FUNDS, MARKETS, HandBook, world


def _request(code: str, side: Side, qty: str, price: str, client_order_id: str = "a1") -> OrderRequest:
    return OrderRequest(client_order_id, code, side, Decimal(qty), Decimal(price))


def test_a_buy_on_upbit_pays_its_fee_in_krw(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            report = await w.upbit.core.execute(_request("KRW-XRP", Side.BUY, "50", "3001"))
            assert (report.state, report.filled_qty, len(report.fills)) == (OrderState.FILLED, Decimal(50), 2)
            balances = w.upbit.core.balances()
            cost = Decimal(40 * 3000 + 10 * 3001)
            assert balances["KRW"].free == 1_000_000 - cost - Decimal("75.005")
            assert balances["XRP"].free == 550

    run_virtual(main())


def test_a_buy_on_binance_pays_its_fee_in_the_coin_and_a_sell_in_quote(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            await w.binance.core.execute(_request("XRPUSDT", Side.BUY, "30", "2.14"))
            balances = w.binance.core.balances()
            assert (balances["XRP"].free, balances["USDT"].free) == (Decimal("529.97"), Decimal("935.8"))
            await w.binance.core.execute(_request("XRPUSDT", Side.SELL, "100", "2.1399", "a2"))
            assert w.binance.core.balances()["USDT"].free == Decimal("935.8") + Decimal("213.99") * Decimal("0.999")

    run_virtual(main())


def test_what_the_book_lacks_expires(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            partial = await w.upbit.core.execute(_request("KRW-XRP", Side.BUY, "70", "3000"))
            assert (partial.state, partial.filled_qty) == (OrderState.EXPIRED, Decimal(40))
            missed = await w.upbit.core.execute(_request("KRW-XRP", Side.BUY, "70", "2999", "a2"))
            assert (missed.state, missed.filled_qty, missed.fills) == (OrderState.EXPIRED, Decimal(0), ())

    run_virtual(main())


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        (_request("KRW-XRP", Side.BUY, "70", "3000.5"), "PRICE_UNIT"),
        (_request("KRW-XRP", Side.BUY, "1.000000001", "3000"), "LOT_STEP"),
        (_request("KRW-XRP", Side.BUY, "1", "3000"), "MIN_COST"),
        (_request("KRW-XRP", Side.BUY, "333.2", "3000"), "INSUFFICIENT_FUNDS"),
        (_request("KRW-XRP", Side.SELL, "500.1", "2999"), "INSUFFICIENT_FUNDS"),
        (_request("KRW-NOPE", Side.SELL, "10", "2999"), "UNKNOWN_MARKET"),
    ],
)
def test_a_venue_refuses_by_rule_and_remembers_that_it_did(tmp_path: Path, request_: OrderRequest, word: str) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            with pytest.raises(OrderRejected, match=word):
                await w.upbit.core.execute(request_)
            found = w.upbit.core.find("a1")
            assert found is not None
            assert found.state is OrderState.REJECTED
            assert word in found.reason
            assert w.upbit.core.balances()["KRW"].free == FUNDS["upbit"]["KRW"]

    run_virtual(main())


def test_the_fee_counts_when_funds_are_checked(tmp_path: Path) -> None:
    """333.1666 XRP at 3,000 cost 999,500 KRW; with 0.05 % they are 999,999.75, and one coin lot more is too much."""

    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            w.books["upbit"].ask_levels = [(3000.0, 1000.0)]
            with pytest.raises(OrderRejected, match="INSUFFICIENT_FUNDS"):
                await w.upbit.core.execute(_request("KRW-XRP", Side.BUY, "333.1668", "3000"))
            report = await w.upbit.core.execute(_request("KRW-XRP", Side.BUY, "333.1666", "3000", "a2"))
            assert report.state is OrderState.FILLED

    run_virtual(main())


def test_a_client_id_is_good_for_one_order_for_ever(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            first = await w.upbit.core.execute(_request("KRW-XRP", Side.BUY, "10", "3000"))
            with pytest.raises(OrderRejected, match="DUPLICATE_CLIENT_ID"):
                await w.upbit.core.execute(_request("KRW-XRP", Side.BUY, "10", "3000"))
            assert w.upbit.core.find("a1") == first
        async with world(tmp_path / "venue.db") as w:
            with pytest.raises(OrderRejected, match="DUPLICATE_CLIENT_ID"):
                await w.upbit.core.execute(_request("KRW-XRP", Side.BUY, "10", "3000"))
            await w.binance.core.execute(_request("XRPUSDT", Side.BUY, "10", "2.14"))  # another venue may know the id

    run_virtual(main())


def test_after_a_restart_everything_is_there_and_ids_go_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            before = await w.upbit.core.execute(_request("KRW-XRP", Side.BUY, "70", "3001"))
            balances = w.upbit.core.balances()
        async with world(tmp_path / "venue.db") as w:
            assert w.upbit.core.balances() == balances  # and not funded a second time
            assert w.upbit.core.find("a1") == before
            assert tuple(w.upbit.core.fills_since(0)) == before.fills
            after = await w.upbit.core.execute(_request("KRW-XRP", Side.SELL, "10", "2999", "a2"))
            assert int(after.venue_order_id) > int(before.venue_order_id)
            assert int(after.fills[0].trade_id) > int(before.fills[-1].trade_id)

    run_virtual(main())


def test_fills_are_told_from_an_instant_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path / "venue.db") as w:
            await w.upbit.core.execute(_request("KRW-XRP", Side.BUY, "10", "3000"))
            await asyncio.sleep(1)
            second = await w.upbit.core.execute(_request("KRW-XRP", Side.BUY, "10", "3000", "a2"))
            assert tuple(w.upbit.core.fills_since(second.fills[0].ts_event)) == second.fills

    run_virtual(main())


def test_the_answer_waits_for_the_disk(tmp_path: Path) -> None:
    """While the record is on its way, the id is taken, nothing is told of the order, and the money is already booked."""

    async def main() -> None:
        ledger = await VenueLedger.open(tmp_path / "venue.db", "aio")
        core = VenueCore("upbit", MARKETS["upbit"], lambda _: HandBook(ask_levels=[(3000.0, 40.0)]), ledger, SystemClock())
        await core.open_account(FUNDS["upbit"])
        writer, release = ledger._writer, asyncio.Event()
        commit = writer.commit

        async def slow(statements: list[Statement]) -> None:
            await release.wait()
            await commit(statements)

        writer.commit = slow  # type: ignore[assignment, method-assign]
        answer = asyncio.create_task(core.execute(_request("KRW-XRP", Side.BUY, "10", "3000")))
        await asyncio.sleep(0)
        assert core.find("a1") is None
        assert ledger.free("upbit", "XRP") == 510
        with pytest.raises(OrderRejected, match="DUPLICATE"):
            await core.execute(_request("KRW-XRP", Side.BUY, "10", "3000"))
        assert not answer.done()
        release.set()
        report = await answer
        assert core.find("a1") == report
        await ledger.close()

    asyncio.run(main())


_ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["upbit", "binance"]),
        st.sampled_from([Side.BUY, Side.SELL]),
        st.integers(1, 3_000),
        st.integers(-30, 30),
        st.integers(1, 99_999_999),
    ),
    max_size=25,
)


@settings(max_examples=60)
@given(_ORDERS)
def test_balances_are_exactly_the_sum_of_all_flows(orders: list[tuple[str, Side, int, int, int]]) -> None:
    """Start + fills - fees = end, to the last digit, for every asset and venue, in memory, in the ledger and recomputed."""

    async def main(folder: str) -> None:
        path = Path(folder) / "venue.db"
        fills: list[tuple[str, Fill]] = []
        async with world(path) as w:
            for number, (venue, side, tenths, ticks, odd) in enumerate(orders):
                book = w.books[venue]
                if venue == "upbit":
                    qty, price = Decimal(tenths) / 10 + Decimal(odd) / 10**8, Decimal(3000 + ticks)
                    book.ask_levels = [(3000.0 + odd % 7, 40.0 + odd / 1e8), (3010.0, 900.0)]
                else:
                    qty, price = Decimal(tenths) / 10, Decimal("2.14") + Decimal(ticks) / 10_000
                    book.ask_levels = [(2.1401, 0.1 * (odd % 5000)), (2.1415, 1000.0)]
                request = OrderRequest(f"a{number}", next(iter(MARKETS[venue])), side, qty, price)
                try:
                    await w.venues[venue].core.execute(request)
                except OrderRejected:
                    continue
            for venue in MARKETS:
                expected = dict(FUNDS[venue])
                for fill in w.venues[venue].core.fills_since(0):
                    fills.append((venue, fill))
                    sign = 1 if fill.side is Side.BUY else -1
                    assert fill.cost == fill.qty * fill.price
                    expected[fill.base] += sign * fill.qty
                    expected[fill.quote] -= sign * fill.cost
                    expected[fill.fee_currency] -= fill.fee
                balances = w.venues[venue].core.balances()
                assert {asset: balance.free for asset, balance in balances.items()} == expected
                assert all(w.ledger.free(venue, asset) == amount for asset, amount in expected.items())
                assert min(expected.values()) >= 0
        changes: dict[tuple[str, str], Decimal] = {}
        with sqlite3.connect(path) as reader:
            for exchange, asset, change in reader.execute("SELECT exchange, asset, change FROM balance_change"):
                changes[exchange, asset] = changes.get((exchange, asset), Decimal(0)) + Decimal(change)
            for venue, fill in fills:  # what a trade moved has no row of its own
                sign = 1 if fill.side is Side.BUY else -1
                moved = ((fill.base, sign * fill.qty), (fill.quote, -sign * fill.cost), (fill.fee_currency, -fill.fee))
                for asset, amount in moved:
                    changes[venue, asset] += amount
            accounts = {(e, a): Decimal(f) for e, a, f in reader.execute("SELECT exchange, asset, free FROM account")}
        reader.close()
        assert changes == accounts

    with TemporaryDirectory() as folder:
        run_virtual(main(folder))
