"""Answers that other people's programs test with, of OKX and of the won venues: each is read as ours, or named with why it is not."""

import json
import tarfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.amounts import read
from arbtui.exchanges.bithumb import orders as bithumb
from arbtui.exchanges.bithumb.rules import krw_market
from arbtui.exchanges.coinone import market_list as coinone_list
from arbtui.exchanges.coinone.networks import Currencies
from arbtui.exchanges.okx import orders as okx
from arbtui.exchanges.okx.rules import FeeRates, markets_of, spot_market
from arbtui.exchanges.upbit import market_list as upbit_list
from arbtui.exchanges.won import orders as won
from arbtui.model.order import OrderState

BTC = spot_market("BTC", "USDT", Decimal("0.1"), Decimal("0.00000001"), Decimal("0.00001"))
#: Of ccxt's bodies: those of an interface that the venue has replaced, or that this program asks nothing of.
RETIRED = {
    "bithumb fetchMarkets": "the legacy envelope around what /v1/market/all answers bare",
    "bithumb fetchOrderBook": "legacy; books come over the socket",
    "bithumb fetchTrades": "legacy; trades come over the socket",
    "bithumb fetchOHLCV": "candles are not used",
    "upbit GET /v1/candles/minutes/60": "candles are not used",
    "upbit GET /v1/trades/ticks": "trades come over the socket",
}


def test_okx_answers_are_read(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found: Counter[str] = Counter()
    with tarfile.open(shared_data / "fixtures" / "jkorf-OKX.Net.tar.gz") as files:

        def body(name: str) -> Any:
            file = files.extractfile(f"./OKX.Net.UnitTests/Endpoints/UnifiedApi/{name}.txt")
            assert file is not None
            found["decoded"] += 1
            return json.loads(file.read().decode("utf-8-sig").split("\n", 3)[3])

        for name, state in {
            "GetOrderDetails": OrderState.FILLED,
            "GetOrderHistory": OrderState.FILLED,
            "GetOrders": OrderState.ACCEPTED,
        }.items():
            row = okx.row_of(body(f"Trading/{name}"), okx.OrderRow, name)
            assert okx.report_of(row).state is state
        fill = okx.fill_of(okx.row_of(body("Trading/GetUserTrades"), okx.FillRow, "fills"), BTC)
        assert (fill.qty, fill.price, fill.fee, fill.fee_currency) == (
            Decimal("0.00192834"),
            Decimal(51858),
            Decimal("0.00000192834"),
            "BTC",
        )
        assert okx.row_of(body("Trading/PlaceOrder"), okx.Placed, "order").ord_id == "312269865356374016"
        balances = okx.balances_of(okx.row_of(body("Account/GetAccountBalance"), okx.AccountRow, "balance"))
        assert balances["USDT"].free + balances["USDT"].locked > 4800
        config = okx.row_of(body("Account/GetAccountConfiguration"), okx.Config, "config")
        assert "withdraw" in config.perm
        assert okx.row_of(body("Account/GetFeeRates"), FeeRates, "trade-fee").taker == "-0.001"
        assert list(markets_of(body("ExchangeData/GetSymbols")["data"])) == ["BTC-USDT"]
    with capsys.disabled():
        print(f"\nFIXTURES okx: {found['decoded']} answers decoded")
    assert found["decoded"] == 9


def test_ccxts_bodies_of_the_won_venues_are_read_or_retired(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads((shared_data / "fixtures" / "ccxt-korea-transcribed.json").read_text())
    found: Counter[str] = Counter()
    for venue in ("upbit", "bithumb", "coinone"):
        for name, answer in told[venue].items():
            if "commit" in name:
                continue
            key = f"{venue} {name}"
            became = "retired" if key in RETIRED else "decoded"
            found[became] += 1
            if became == "decoded":
                _is_read(key, answer)
    with capsys.disabled():
        print(f"\nFIXTURES won venues: {found['decoded']} bodies decoded, {found['retired']} retired")
    assert found == {"decoded": 7, "retired": len(RETIRED)}


def _is_read(key: str, answer: Any) -> None:
    venue, _, name = key.partition(" ")
    if venue == "bithumb":
        row = answer["data"]
        for one in row if isinstance(row, list) else [row]:
            report = won.report_of(read(one, bithumb.OrderRow, name), krw_market("BTC"))
            assert report.state is (OrderState.CANCELED if name == "cancelOrder" else OrderState.ACCEPTED)
            assert not report.filled_qty
            assert not report.fills
        return
    kinds: dict[str, Any] = {
        "upbit GET /v1/ticker": list[upbit_list.Ticker],
        "coinone GET /public/v2/currencies": Currencies,
        "coinone ticker_new item (markets BTC/KRW info)": coinone_list._Ticker,
    }
    assert read(answer, kinds[key], name)
