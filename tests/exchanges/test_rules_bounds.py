"""Rules of markets at each side of every bound, lists of markets with what is odd in them, and what answers say of rate limits."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from decimal import Decimal
from typing import Any

import pytest

from arbtui.exchanges.binance import limits as binance_limits
from arbtui.exchanges.binance.rules import parse_exchange_info
from arbtui.exchanges.bitget import limits as bitget_limits
from arbtui.exchanges.bitget.rules import markets_of as bitget_markets
from arbtui.exchanges.bithumb import limits as bithumb_limits
from arbtui.exchanges.bithumb.market_list import Listed
from arbtui.exchanges.bithumb.market_list import MarketList as BithumbList
from arbtui.exchanges.bybit import limits as bybit_limits
from arbtui.exchanges.bybit.rules import flags_of
from arbtui.exchanges.bybit.rules import markets_of as bybit_markets
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.coinone import limits as coinone_limits
from arbtui.exchanges.coinone.market_list import MarketList as CoinoneList
from arbtui.exchanges.coinone.rules import krw_market, units_of
from arbtui.exchanges.market_flags import MarketFlag
from arbtui.exchanges.okx import limits as okx_limits
from arbtui.exchanges.okx.rules import markets_of as okx_markets
from arbtui.exchanges.upbit import limits as upbit_limits
from arbtui.exchanges.upbit.market_list import MarketList as UpbitList
from arbtui.exchanges.upbit.rules import krw_market as upbit_market
from arbtui.exchanges.upbit.rules import with_unit
from arbtui.model.errors import VenueFailed, WireError
from tests.exchanges.bybit.test_rules import BTC as BYBIT
from tests.exchanges.okx.test_rules import ROW as OKX
from tests.exchanges.scripted_venue import ScriptedVenue, adapter_of, scripted, value
from tests.exchanges.test_binance_rules import LOT, NOTIONAL, PRICE
from tests.exchanges.test_bitget_rules import NEW as BITGET

Rules = Mapping[str, Any]

# one market


def bybit_of(**changed: Any) -> Any:
    odd: dict[str, str] = {}
    lot = {**BYBIT["lotSizeFilter"], **{key: changed[key] for key in changed if key != "tickSize"}}
    row = {**BYBIT, "lotSizeFilter": lot, "priceFilter": {"tickSize": changed.get("tickSize", "0.0100")}}
    return bybit_markets([row], odd).get("BTCUSDT") or odd["BTCUSDT"]


@pytest.mark.parametrize(
    ("changed", "is_market"),
    [
        ({}, True),
        ({"minOrderAmt": "0"}, True),
        ({"minOrderAmt": "-0.1"}, False),
        ({"basePrecision": "0"}, False),
        ({"tickSize": "0"}, False),
        ({"tickSize": "-1"}, False),
        ({"maxLimitOrderQty": "-1"}, False),
        ({"maxLimitOrderQty": "NaN"}, False),
    ],
)
def test_rules_of_bybit_that_make_sense(changed: Rules, is_market: bool) -> None:
    found = bybit_of(**changed)
    assert isinstance(found, str) is not is_market
    if not is_market:
        assert "BTCUSDT has rules that make no sense: " in found


def test_a_market_of_bybit() -> None:
    whole, bare = bybit_of(), bybit_of(maxLimitOrderQty=None)
    assert (whole.min_qty, whole.max_qty, whole.min_cost) == (Decimal("0.000001"), Decimal(83), Decimal(5))
    assert (bare.max_qty, bybit_of(maxLimitOrderQty="0").max_qty) == (Decimal("1e15"), Decimal("1e15"))
    assert str(whole.price_units.at(Decimal(1))) == "0.01"
    assert bybit_markets([7, {"symbol": "X"}]) == {}
    odd: dict[str, str] = {}
    bybit_markets([7, {"symbol": "X"}], odd)
    assert set(odd) == {"?", "X"}


def test_flags_of_bybit() -> None:
    rows = [{"symbol": "A", "stTag": "1"}, {"symbol": "B", "stTag": "0"}, {"symbol": "C", "stTag": "2"}, {"symbol": "D"}, 7]
    assert flags_of(rows) == {"A": frozenset([MarketFlag("stTag", is_grave=True)]), "B": frozenset()}


@pytest.mark.parametrize(
    ("changed", "is_market"),
    [
        ({}, True),
        ({"pricePrecision": 18}, True),
        ({"pricePrecision": 19}, False),
        ({"pricePrecision": 0, "quantityPrecision": 0}, True),
        ({"quantityPrecision": -1}, False),
        ({"quantityPrecision": 18}, True),
        ({"minTradeUSDT": "0"}, True),
        ({"minTradeAmount": "-1"}, False),
        ({"maxTradeAmount": "-1"}, False),
        ({"maxTradeAmount": "NaN"}, False),
        ({"makerFeeRate": "1"}, False),
        ({"takerFeeRate": "NaN"}, False),
    ],
)
def test_rules_of_bitget_that_make_sense(changed: Rules, is_market: bool) -> None:
    odd: dict[str, str] = {}
    assert list(bitget_markets([{**BITGET, **changed}], odd)) == ["BTCUSDT"] * is_market
    assert list(odd) == ["BTCUSDT"] * (not is_market)


def test_a_market_of_bitget_and_one_that_is_priced_in_bitcoin() -> None:
    fields = {"takerFeeRate": "0.002", "makerFeeRate": "0.001", "minTradeAmount": "2.00", "maxTradeAmount": "50.0", "minTradeUSDT": "1.0"}
    market = bitget_markets([{**BITGET, **fields}])["BTCUSDT"]
    assert (market.fees.taker, market.fees.maker) == (Decimal("0.002"), Decimal("0.001"))
    assert (str(market.min_qty), str(market.max_qty), str(market.min_cost)) == ("2", "5E+1", "1")
    assert market.price_units.at(Decimal(1)) == Decimal("0.01")
    bare = {key: told for key, told in BITGET.items() if key not in ("minTradeAmount", "maxTradeAmount", "areaSymbol")}
    (least,) = bitget_markets([bare]).values()
    assert (least.min_qty, least.max_qty) == (Decimal("0.000001"), Decimal("1e15"))
    for most, expected in (("1e15", "1e15"), ("999999999999999", "999999999999999"), ("0", "1e15")):
        (market,) = bitget_markets([{**BITGET, "maxTradeAmount": most}]).values()
        assert market.max_qty == Decimal(expected)
    cross = {**BITGET, "symbol": "XRPBTC", "baseCoin": "XRP", "quoteCoin": "BTC", "minTradeUSDT": "1"}
    assert bitget_markets([cross]) == bitget_markets([cross], None, {}) == {}
    (market,) = bitget_markets([cross], None, {"BTC": Decimal(70_000)}).values()
    assert market.min_cost == Decimal("0.00001715")  # 1.2 dollars, up to the next of eight decimals
    odd: dict[str, str] = {}
    assert bitget_markets([7, {"baseCoin": "X"}], odd) == {}
    assert list(odd) == ["?"]


@pytest.mark.parametrize(
    ("changed", "is_market"),
    [
        ({}, True),
        ({"maxLmtSz": "0.00001"}, True),  # the least quantity
        ({"maxLmtSz": "0.000009"}, False),
        ({"maxLmtSz": ""}, True),
        ({"minSz": "0"}, False),
        ({"lotSz": "0"}, False),
        ({"tickSz": "NaN"}, False),
        ({"baseCcy": ""}, False),
        ({"quoteCcy": ""}, False),
        ({"instCategory": ""}, True),
    ],
)
def test_rules_of_okx_that_make_sense(changed: Rules, is_market: bool) -> None:
    odd: dict[str, str] = {}
    found = okx_markets([{**OKX, **changed}], odd)
    assert (list(found), list(odd)) == (["BTC-EUR"] * is_market, ["BTC-EUR"] * (not is_market))


def test_a_market_of_okx() -> None:
    groups: dict[str, str] = {}
    leaving: dict[str, str] = {}
    bare = {key: told for key, told in OKX.items() if key not in ("maxLmtSz", "ruleType", "instCategory", "groupId", "expTime")}
    (market,) = okx_markets([bare], None, groups, leaving).values()
    assert (market.max_qty, market.min_qty, market.lot_step, market.min_cost) == (
        Decimal("1e15"),
        Decimal("0.00001"),
        Decimal("0.00000001"),
        Decimal(0),
    )
    assert (groups, leaving) == ({"BTC-EUR": ""}, {})
    assert okx_markets([{"instId": "X"}, 7]) == {}


@pytest.mark.parametrize(
    ("lot", "notional", "changed", "expected"),
    [
        ({}, {}, {}, ("0.1", "900000", "5")),
        ({"maxQty": "0"}, {}, {}, ("0.1", "1e15", "5")),
        ({}, {"minNotional": "1", "notional": "7"}, {}, ("0.1", "900000", "7")),
        ({}, {"minNotional": "7", "notional": "1"}, {}, ("0.1", "900000", "7")),
        ({}, {}, {"contractType": "PERPETUAL"}, ("0.1", "900000", "5")),
        ({}, {}, {"contractType": None}, ("0.1", "900000", "5")),
        ({}, {}, {"contractType": "CURRENT_QUARTER"}, None),
    ],
)
def test_a_market_of_binance(lot: Rules, notional: Rules, changed: Rules, expected: tuple[str, str, str] | None) -> None:
    filters = [{"filterType": "ICEBERG_PARTS"}, PRICE, {**LOT, **lot}, {**NOTIONAL, **notional}]
    symbol = {"symbol": "XYZUSDT", "status": "TRADING", "baseAsset": "XYZ", "quoteAsset": "USDT", "filters": filters, **changed}
    found = parse_exchange_info(json.dumps({"symbols": [symbol]}).encode())
    if expected is None:
        assert found == {}
    else:
        market = found["XYZUSDT"]
        assert (market.min_qty, market.max_qty, market.min_cost) == tuple(map(Decimal, expected))
        assert (market.base, market.quote) == ("XYZ", "USDT")


def test_another_price_unit_than_the_documented_holds_everywhere() -> None:
    market = upbit_market("XRP")
    assert with_unit(market, Decimal(3000), Decimal(1)) is market
    other = with_unit(market, Decimal(3000), Decimal(5))
    assert [other.price_units.at(Decimal(price)) for price in (1, 3000, 2_000_000)] == [5, 5, 5]


def test_price_units_of_coinone_come_in_any_order() -> None:
    units = units_of([(Decimal(0), Decimal("0.1")), (Decimal(1000), Decimal(1)), (Decimal(100), Decimal("0.5"))])
    assert [units.at(Decimal(price)) for price in ("99.9", "100", "999", "1000")] == [
        Decimal("0.1"),
        Decimal("0.5"),
        Decimal("0.5"),
        Decimal(1),
    ]


# lists of markets


def run(exchange: str, main: Callable[[ScriptedVenue, CcxtAdapter], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60), scripted() as venue, adapter_of(venue, exchange) as adapter:
            await main(venue, adapter)

    asyncio.run(bounded())


def test_the_list_of_upbit(caplog: pytest.LogCaptureFixture) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        calm = {"warning": False, "caution": {"A": False}}
        rows: list[Any] = [
            {"market": "KRW-XRP", "market_event": calm},
            {"market": "KRW-ADA", "market_event": {"warning": True, "caution": {"A": True, "B": False}}},
            {"market": "KRW-SOL", "market_event": {"warning": "x"}},
            {"market": "BTC-XRP", "market_event": calm},
            {"market": "USDT-XRP", "market_event": calm},
            7,
            {},
        ]
        venue.on("GET", "/v1/market/all", value(rows), value(rows), value(rows[:2]), value(rows))
        listing = UpbitList(adapter)
        ada = frozenset([MarketFlag("A", is_grave=False), MarketFlag("warning", is_grave=True)])
        assert await listing.markets(["KRW"]) == {"KRW-XRP": frozenset(), "KRW-ADA": ada, "KRW-SOL": None}
        assert list(await listing.markets()) == ["KRW-XRP", "KRW-ADA", "KRW-SOL", "BTC-XRP"]
        assert len(caplog.messages) == 1, "the same is said once"
        assert caplog.messages[0].startswith("upbit: what it warns of at its markets cannot be read (")
        await listing.markets()
        await listing.markets()
        assert len(caplog.messages) == 2
        assert adapter.odd == {}

    run("upbit", main)


def test_prices_and_units_of_upbit_by_two_hundreds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.exchanges.upbit.market_list._CODES_A_REQUEST", 2)

    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        def unit(code: str, tick: Any = "1") -> dict[str, Any]:
            return {"market": code, "quote_currency": "KRW", "tick_size": tick}

        def ticker(code: str, price: Any = 3000) -> dict[str, Any]:
            return {"market": code, "trade_price": price}

        venue.on(
            "GET", "/v1/orderbook/instruments", value([unit("KRW-A"), unit("KRW-B", "0")]), value([unit("KRW-C"), 7, {"market": "KRW-D"}])
        )
        venue.on("GET", "/v1/ticker", value([ticker("KRW-A"), ticker("KRW-B")]), value([ticker("KRW-C", 0)]))
        assert await UpbitList(adapter).units(["KRW-A", "KRW-B", "KRW-C", "KRW-D"]) == {"KRW-A": (Decimal(3000), Decimal(1))}
        assert set(adapter.odd) == {"KRW-B", "KRW-C", "KRW-D", "?"}
        assert adapter.odd["KRW-B"] == "price 3000, price unit 0"
        assert adapter.odd["KRW-C"] == "price 0, price unit 1"
        assert [asked.query["markets"] for asked in venue.asked] == ["KRW-A,KRW-B", "KRW-A,KRW-B", "KRW-C,KRW-D", "KRW-C"]
        assert await UpbitList(adapter).units([]) == {}

    run("upbit", main)


UNKNOWN = [({"error": {"name": 404, "message": "Code not found"}}, 404), ({"error": {"name": 404, "message": "x"}}, 400)]


@pytest.mark.parametrize(("answer", "status"), UNKNOWN)
@pytest.mark.parametrize("exchange", ["upbit", "bithumb"])
def test_a_listing_of_today_that_another_list_does_not_know_is_found_by_halves(exchange: str, answer: Any, status: int) -> None:
    path = "/v1/orderbook/instruments" if exchange == "upbit" else "/v1/ticker"

    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        async def told(request: Any) -> Any:
            codes = request.query["markets"].split(",")
            if "KRW-NEW" in codes:
                return await value(answer, status)(request)
            rows = [{"market": code, "quote_currency": "KRW", "tick_size": "1", "trade_price": 3000} for code in codes]
            return await value(rows)(request)

        venue.on("GET", path, told)
        venue.on("GET", "/v1/ticker", told)
        codes = ["KRW-A", "KRW-B", "KRW-NEW", "KRW-C", "KRW-D"]
        found: Mapping[str, Any]
        found = await UpbitList(adapter).units(codes) if exchange == "upbit" else await BithumbList(adapter).prices(codes)
        assert set(found) == {"KRW-A", "KRW-B", "KRW-C", "KRW-D"}
        assert adapter.odd == {
            "KRW-NEW": f"it is listed, and {path.removeprefix('/v1/') if exchange == 'upbit' else 'v1/ticker'} does not know it"
        }
        asked = [one.query["markets"] for one in venue.of("GET", path)]
        assert asked[:5] == ["KRW-A,KRW-B,KRW-NEW,KRW-C,KRW-D", "KRW-A,KRW-B", "KRW-NEW,KRW-C,KRW-D", "KRW-NEW", "KRW-C,KRW-D"]

    run(exchange, main)


@pytest.mark.parametrize("exchange", ["upbit", "bithumb"])
def test_another_refusal_of_a_list_is_no_matter_of_a_market(exchange: str) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        for path in ("/v1/orderbook/instruments", "/v1/ticker"):
            venue.on("GET", path, value({"error": {"name": "x", "message": "y"}}, 400))
        ask: Any = UpbitList(adapter).units if exchange == "upbit" else BithumbList(adapter).prices
        with pytest.raises(VenueFailed):
            await ask(["KRW-A", "KRW-B"])
        assert len(venue.asked) == 1

    run(exchange, main)


def test_the_list_of_bithumb(caplog: pytest.LogCaptureFixture) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        rows: list[Any] = [
            {"market": "KRW-XRP", "market_warning": "NONE"},
            {"market": "KRW-ADA", "market_warning": "CAUTION"},
            {"market": "KRW-SOL"},
            {"market": "BTC-XRP", "market_warning": "NONE"},
            {"market": "USDT-XRP", "market_warning": "NONE"},
            {"market": ["KRW-ODD"]},
            7,
        ]
        venue.on("GET", "/v1/market/all", value(rows), value(rows), value(rows[:2]), value(rows))
        listing = BithumbList(adapter)
        assert await listing.markets(["KRW"]) == {
            "KRW-XRP": Listed("KRW-XRP", frozenset()),
            "KRW-ADA": Listed("KRW-ADA", frozenset([MarketFlag("CAUTION", is_grave=True)])),
            "KRW-SOL": Listed("KRW-SOL", None),
        }
        assert adapter.odd == {}
        assert list(await listing.markets()) == ["KRW-XRP", "KRW-ADA", "KRW-SOL", "BTC-XRP"]
        assert len(caplog.messages) == 1, "the same is said once"
        assert caplog.messages[0].startswith("bithumb: what it warns of at its markets cannot be read (")
        await listing.markets()
        await listing.markets()
        assert len(caplog.messages) == 2
        venue.on("GET", "/v1/market/all", value([{"market": "KRW-X", "market_warning": "NONE"}, {"market": 7}]))
        assert list(await listing.markets(["KRW", "7"])) == ["KRW-X"]
        assert list(adapter.odd) == ["7"]

    run("bithumb", main)


def test_prices_of_bithumb_by_two_hundreds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.exchanges.bithumb.market_list._CODES_A_REQUEST", 2)

    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on(
            "GET", "/v1/ticker",
            value([{"market": "KRW-A", "trade_price": 3000.5}, {"market": "KRW-B", "trade_price": 0}]),
            value([{"market": "KRW-C"}, 7]),
        )  # fmt: skip
        assert await BithumbList(adapter).prices(["KRW-A", "KRW-B", "KRW-C"]) == {"KRW-A": Decimal("3000.5")}
        assert set(adapter.odd) == {"KRW-B", "KRW-C", "?"}
        assert adapter.odd["KRW-B"] == "price 0"
        assert [asked.query["markets"] for asked in venue.asked] == ["KRW-A,KRW-B", "KRW-C"]

    run("bithumb", main)


COINONE = {"quote_currency": "KRW", "target_currency": "xrp", "qty_unit": "0.01", "trade_status": 1, "maintenance_status": 0}


def said(**told: Any) -> Any:
    return value({"result": "success", "error_code": "0", **told})


@pytest.mark.parametrize(
    ("changed", "least", "most", "least_cost"),
    [
        ({}, "0.01", "1e13", "5000"),
        ({"min_qty": "2", "max_qty": "50", "min_order_amount": "7000"}, "2", "50", "7000"),
        ({"min_qty": "0.001", "min_order_amount": "100"}, "0.01", "1e13", "5000"),
        ({"min_qty": "0", "max_qty": "0", "min_order_amount": "0"}, "0.01", "1e13", "5000"),
    ],
)
def test_a_market_of_coinone(changed: Rules, least: str, most: str, least_cost: str) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("GET", "/public/v2/markets/KRW", said(markets=[{**COINONE, **changed}]))
        (market,) = (await CoinoneList(adapter).markets()).values()
        assert (market.code, market.base, market.lot_step) == ("KRW-XRP", "XRP", Decimal("0.01"))
        assert (market.min_qty, market.max_qty, market.min_cost) == (Decimal(least), Decimal(most), Decimal(least_cost))

    run("coinone", main)


def test_the_lists_of_coinone() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        rows: list[Any] = [
            COINONE, {**COINONE, "target_currency": "A", "trade_status": 0}, {**COINONE, "target_currency": "B", "trade_status": 2},
            {**COINONE, "target_currency": "C", "maintenance_status": 1}, {**COINONE, "target_currency": "D", "qty_unit": "0"},
            {**COINONE, "target_currency": "E", "qty_unit": "-1"}, {"quote_currency": "krw"}, 7,
        ]  # fmt: skip
        venue.on("GET", "/public/v2/markets/KRW", said(markets=rows))
        assert list(await CoinoneList(adapter).markets()) == ["KRW-XRP"]
        assert set(adapter.odd) == {"KRW-D", "KRW-E", "KRW-?", "?"}
        assert "qty_unit 0" in adapter.odd["KRW-D"]
        adapter.odd.clear()
        tickers: list[Any] = [
            {"quote_currency": "krw", "target_currency": "xrp", "last": "3001"},
            {"quote_currency": "krw", "target_currency": "a", "last": "0"}, {"quote_currency": "krw", "target_currency": "b"}, 7,
        ]  # fmt: skip
        venue.on("GET", "/public/v2/ticker_new/KRW", said(tickers=tickers))
        assert await CoinoneList(adapter).prices() == {"KRW-XRP": Decimal(3001)}
        assert set(adapter.odd) == {"KRW-B", "?"}
        for odd in (said(), said(markets={}), value([])):
            venue.on("GET", "/public/v2/markets/KRW", odd)
            with pytest.raises(WireError, match="no markets"):
                await CoinoneList(adapter).markets()

    run("coinone", main)


@pytest.mark.parametrize(
    ("bands", "is_told"),
    [
        ([{"range_min": 0, "price_unit": "0.1"}, {"range_min": 1000, "price_unit": 1}], True),
        ([{"range_min": 1, "price_unit": "0.1"}], False),
        ([{"range_min": 0, "price_unit": "0.1"}, {"range_min": 1000, "price_unit": 0}], False),
        ([{"range_min": 0, "price_unit": "-1"}], False),
        ([{"range_min": -1, "price_unit": "1"}], False),
        ([], False),
    ],
)
def test_price_units_of_a_market_of_coinone(bands: list[Any], is_told: bool) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("GET", "/public/v2/range_units/KRW/XRP", said(range_price_units=bands))
        if is_told:
            units = await CoinoneList(adapter).units(krw_market("XRP"))
            assert units is not None
            assert [units.at(Decimal(price)) for price in (999, 1000)] == [Decimal("0.1"), Decimal(1)]
        else:
            with pytest.raises(WireError):
                await CoinoneList(adapter).units(krw_market("XRP"))

    run("coinone", main)


# what answers say of rate limits


@pytest.mark.parametrize(
    ("headers", "used"),
    [
        ({}, []),
        ({"x-mbx-used-weight-1m": "7", "x-mbx-order-count-10s": "1", "x-mbx-order-count-1m": "2", "x-mbx-order-count-1d": "3"},
         [("weight/1m", 7.0), ("orders/10s", 1.0), ("orders/1m", 2.0), ("orders/1d", 3.0)]),
        ({"x-mbx-used-weight-1m": "0"}, [("weight/1m", 0.0)]),
        ({"x-mbx-used-weight-1m": "-1"}, []),
        ({"x-mbx-used-weight-1m": "many", "x-mbx-order-count-10s": "1"}, [("orders/10s", 1.0)]),
    ],
)  # fmt: skip
def test_binances_count(headers: dict[str, str], used: list[tuple[str, float]]) -> None:
    assert list(binance_limits.used(headers)) == used


@pytest.mark.parametrize(
    ("header", "used"),
    [
        (None, []),
        ("47", [("orders", 3.0)]),
        ("0", [("orders", 50.0)]),
        ("50", [("orders", 0.0)]),
        ("99", [("orders", 0.0)]),
        ("-1", []),
        ("many", []),
    ],
)
def test_bybits_count(header: str | None, used: list[tuple[str, float]]) -> None:
    headers = {} if header is None else {"x-bapi-limit-status": header}
    assert list(bybit_limits.used(headers, ("http", "orders"))) == used
    assert list(bybit_limits.used(headers, ("http",))) == []


@pytest.mark.parametrize(
    ("header", "used"),
    [
        ("", []),
        ("group=order; min=1; sec=12", [("order", 0.0)]),
        ("group=order; min=1; sec=0", [("order", 12.0)]),
        ("group=order; min=1; sec=13", [("order", 0.0)]),
        ("sec=4", [("quotation", 6.0)]),
        ("group=order-test; sec=8", [("order-test", 0.0)]),
        ("group=order; sec=-1", []),
        ("group=order; sec=x", []),
        ("group=order", []),
    ],
)
def test_upbits_count(header: str, used: list[tuple[str, float]]) -> None:
    assert list(upbit_limits.used({"remaining-req": header})) == used
    assert list(upbit_limits.used({})) == []


def test_whom_a_refusal_for_too_many_requests_silences() -> None:
    groups = ("order", "address")
    assert binance_limits.banned(429, "-1015", groups) == ("orders",)
    assert binance_limits.banned(429, "-1003", groups) is None
    assert [upbit_limits.banned(status, "", of) for status, of in ((429, groups), (429, ()), (418, groups), (430, groups))] == [
        groups, None, None, None,
    ]  # fmt: skip
    assert bybit_limits.banned(429, "", groups) is None
    assert [okx_limits.banned(429, "", of) for of in (groups, ())] == [groups, None]
    assert [bitget_limits.banned(429, "", of) for of in (groups, ("address",), ())] == [["order"], None, None]
    assert [coinone_limits.banned(429, "4", of) for of in (groups, ())] == [groups, None]
    assert [bithumb_limits.banned(status, "", of) for status, of in ((429, groups), (429, ()), (418, groups))] == [groups, None, None]
    assert bitget_limits.cost("order") == {"order": 1.0, "address": 1.0}


@pytest.mark.parametrize(
    ("left", "most", "used"),
    [
        ("147", "150", [("quotation", 3.0)]),
        ("150", "150", [("quotation", 0.0)]),
        ("0", "150", [("quotation", 150.0)]),
        ("151", "150", []),
        ("-1", "150", []),
        ("140", "140", []),
        ("many", "150", []),
        ("147", "many", []),
    ],
)
def test_bithumbs_count(left: str, most: str, used: list[tuple[str, float]]) -> None:
    assert list(bithumb_limits.used({"x-ratelimit-remaining": left, "x-ratelimit-burst-capacity": most})) == used
    assert list(bithumb_limits.used({"x-ratelimit-remaining": left})) == []


@pytest.mark.parametrize(("left", "used"), [("77", [3.0]), ("80", [0.0]), ("0", [80.0]), ("81", []), ("-1", []), ("many", [])])
def test_coinones_count(left: str, used: list[float]) -> None:
    assert list(coinone_limits.used({"private-ratelimit-remaining": left})) == [("query", one) for one in used]
    told = {"private-ratelimit-remaining": "many", "private-order-ratelimit-remaining": "39", "public-ratelimit-remaining": "1199"}
    assert list(coinone_limits.used(told)) == [("public", 1.0), ("order", 1.0)]
