"""OKX's public calls (okx.com/docs-v5: Public Data, Market Data), and the list of instruments that an account may trade."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

from arbtui.model.market import Market
from arbtui.model.money import plain
from arbtui.sandbox.market_calls import MarketCalls
from arbtui.sandbox.okx.refusals import refused
from arbtui.sandbox.tape import Tape
from arbtui.simulation.simulated_market import SimulatedMarket

Params = Mapping[str, Any]

MOST_LEVELS = 400
#: Fee group of every market here, as ``account/trade-fee`` has it.
FEE_GROUP = "1"
_EMPTY = (
    "alias", "auctionEndTime", "category", "contTdSwTime", "ctMult", "ctType", "ctVal", "ctValCcy", "expTime", "floatPxLmtPct",
    "initPxLmtPct", "instFamily", "lever", "maxPlatOICoinLmt", "maxPlatOILmt", "maxPxLmtPct", "openType", "optType", "posLmtAmt",
    "posLmtPct", "preMktSwTime", "settleCcy", "stk", "uly",
)  # fmt: skip
_GREATEST = "9999999999"


class OkxMarketData(MarketCalls):
    """Handlers of the calls that need no signature; each takes its parameters and returns the answer's ``data``.

    Args:
        seq_id: the id of a market's last change of its book.
    """

    def __init__(
        self,
        markets: Mapping[str, Market],
        book_of: Callable[[str], SimulatedMarket],
        seq_id: Callable[[str], int],
        tape: Tape,
        is_halted: Callable[[str], bool],
        now_ms: Callable[[], int],
    ) -> None:
        super().__init__(markets, book_of, tape, is_halted, now_ms)
        self._seq_id = seq_id

    async def time(self, params: Params) -> Any:
        """``GET /api/v5/public/time``."""
        return [{"ts": str(self._now_ms())}]

    async def instruments(self, params: Params) -> Any:
        """``GET /api/v5/public/instruments``, and ``account/instruments``: all spot markets, or one."""
        require_spot(params)
        codes = [self.code(params)] if params.get("instId") else self._markets
        return [self._instrument(self._markets[code]) for code in codes]

    async def tickers(self, params: Params) -> Any:
        """``GET /api/v5/market/tickers``."""
        require_spot(params)
        return [self._ticker(code) for code in self._markets]

    async def ticker(self, params: Params) -> Any:
        """``GET /api/v5/market/ticker``."""
        return [self._ticker(self.code(params))]

    async def books(self, params: Params) -> Any:
        """``GET /api/v5/market/books``: one level a side, unless ``sz`` asks for more."""
        code, count = self.code(params), int(params.get("sz", 1))
        if not 1 <= count <= MOST_LEVELS:
            raise refused("51000", "sz")
        bids, asks = self.levels(code, count)
        return [{"asks": asks, "bids": bids, "ts": str(self._now_ms()), "seqId": self._seq_id(code)}]

    def levels(self, code: str, count: int) -> tuple[list[list[str]], list[list[str]]]:
        """The best ``count`` bids and asks of a market, as its book has them."""
        book = self._book_of(code)
        bids, asks = ([[_text(price), _text(qty), "0", "1"] for price, qty in islice(side, count)] for side in (book.bids(), book.asks()))
        return bids, asks

    def code(self, params: Params) -> str:
        """The market that is asked for.

        Raises:
            Refusal: none, or one that is not listed.
        """
        code = str(params.get("instId", ""))
        if not code:
            raise refused("50014", "instId")
        if code not in self._markets:
            raise refused("51001")
        return code

    def _instrument(self, market: Market) -> dict[str, Any]:
        unit = plain(market.price_units.at(Decimal(1)))
        return {
            **dict.fromkeys(_EMPTY, ""),
            "baseCcy": market.base,
            "category": "1",
            "elp": "0",
            "futureSettlement": False,
            "groupId": FEE_GROUP,
            "instCategory": "1",
            "instId": market.code,
            "instIdCode": 100_000 + list(self._markets).index(market.code),
            "instType": "SPOT",
            "listTime": "1606468572000",
            "lotSz": plain(market.lot_step),
            "maxIcebergSz": f"{_GREATEST}.0000000000000000",
            "maxLmtAmt": "20000000",
            "maxLmtSz": _GREATEST,
            "maxMktAmt": "1000000",
            "maxMktSz": "1000000",
            "maxStopSz": "1000000",
            "maxTriggerSz": f"{_GREATEST}.0000000000000000",
            "maxTwapSz": f"{_GREATEST}.0000000000000000",
            "minSz": plain(market.min_qty),
            "quoteCcy": market.quote,
            "ruleType": "normal",
            "state": "suspend" if self._is_halted(market.code) else "live",
            "tickSz": unit,
            "tradeQuoteCcyList": [market.quote],
            "upcChg": [],
        }

    def _ticker(self, code: str) -> dict[str, Any]:
        day = self._tape.day(code)
        bids, asks = self.levels(code, 1)
        nothing = [["", ""]]
        return {
            "instType": "SPOT",
            "instId": code,
            "last": _text(day.last),
            "lastSz": _text(day.last_qty),
            "askPx": (asks or nothing)[0][0],
            "askSz": (asks or nothing)[0][1],
            "bidPx": (bids or nothing)[0][0],
            "bidSz": (bids or nothing)[0][1],
            "open24h": _text(day.opening),
            "high24h": _text(day.high),
            "low24h": _text(day.low),
            "volCcy24h": _text(day.turnover),
            "vol24h": _text(day.volume),
            "sodUtc0": _text(day.opening),
            "sodUtc8": _text(day.opening),
            "ts": str(self._now_ms()),
        }


def require_spot(params: Params) -> None:
    """Refuse other products than spot, which are not played here.

    Raises:
        Refusal: the parameter is missing, or another.
    """
    if params.get("instType") != "SPOT":
        raise refused("51000", "instType")


def _text(value: float) -> str:
    return f"{value:.8f}".rstrip("0").rstrip(".")
