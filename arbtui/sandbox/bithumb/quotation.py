"""Bithumb's public data: the REST answers without a signature (apidocs.bithumb.com, Public API)."""

from typing import Any

from arbtui.sandbox.answer import Refusal
from arbtui.sandbox.bithumb.refusals import no_market, no_parameter, refused
from arbtui.sandbox.won.parameters import Body
from arbtui.sandbox.won.quotation import KST_MS, Quotation

#: Levels of a REST book: 30 of one market, 15 each where several are asked for.
_ONE, _SEVERAL = 30, 15
_MOST_MARKETS = 200


class BithumbQuotation(Quotation):
    """Handlers of the public calls. A ticker's times are Korean ones written as if they were Unix times, as probed."""

    time_shift_ms = KST_MS

    def no_market(self) -> Refusal:
        """See there."""
        return no_market()

    def no_parameter(self) -> Refusal:
        """See there."""
        return no_parameter()

    async def market_all(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/market/all``; with ``isDetails`` the caution flag too."""
        rows = [{"market": code, "korean_name": market.base, "english_name": market.base} for code, market in self._markets.items()]
        details = str(query.get("isDetails", "false")).lower() == "true"
        return [{**row, "market_warning": next(iter(self.flags_of(row["market"])), "NONE")} for row in rows] if details else rows

    async def orderbook(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/orderbook?markets=A,B``."""
        codes = self.codes(query)
        return [self.book(code, _ONE if len(codes) == 1 else _SEVERAL) for code in codes]

    async def tickers(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/ticker?markets=A,B``."""
        if len(self.codes(query)) > _MOST_MARKETS:
            raise refused("invalid_parameter")
        return await super().tickers(query)
