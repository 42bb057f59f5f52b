"""Coinone's rules for KRW markets, its only ones: price units, minimum, lot, fees.

Sources: docs.coinone.co.kr, reference/range-unit and reference/markets; the bands of 5, 50, 500, 5,000,000 and 10,000,000 won are those of
2024-09-30 (etoday.co.kr/news/view/2401174), which the documents' example lacks, and books probed on 2026-09-23 lie on them
(nemanull/arbitrage-observatory, docs/venues/coinone/websocket.md). The table is for markets whose own one is not asked for: at a start
each market's is (``/public/v2/range_units``). Least order 5,000 KRW and lot 0.00000001: BTC's row of the same day's market list.
"""

from collections.abc import Iterable
from decimal import Decimal

from arbtui.model.market import BandedUnits, Fees, FeeTakenIn, Market

EXCHANGE = "coinone"
QUOTE = "KRW"

KRW_PRICE_UNITS = BandedUnits(
    tuple(
        (Decimal(floor), Decimal(unit))
        for floor, unit in (
            ("10000000", "10000"),
            ("5000000", "5000"),
            ("1000000", "1000"),
            ("500000", "500"),
            ("100000", "100"),
            ("50000", "50"),
            ("10000", "10"),
            ("5000", "5"),
            ("1000", "1"),
            ("500", "0.5"),
            ("100", "0.1"),
            ("50", "0.05"),
            ("10", "0.01"),
            ("5", "0.005"),
            ("1", "0.001"),
            ("0", "0.0001"),
        )
    )
)

#: Least order value in KRW.
MIN_COST = Decimal(5000)
LOT_STEP = Decimal("0.00000001")
#: Where a market's own most is not known; this value only keeps the field finite.
MAX_QTY = Decimal("1e13")
#: What an account pays that has agreed on nothing: 0.2 %, maker and taker alike, in KRW (reference/order-detail, ``fee_rate`` of its
#: examples). What an account pays really is read at the start (``/v2.1/account/trade_fee``).
FEES = Fees(taker=Decimal("0.002"), maker=Decimal("0.002"), taken_in=FeeTakenIn.QUOTE)


def code_of(quote: str, base: str) -> str:
    """The code that a market has here, ``KRW-BTC``: Coinone names quote and base apart, in either case."""
    return f"{quote}-{base}".upper()


def pair_of(code: str) -> dict[str, str]:
    """What Coinone's requests name a market by."""
    quote, _, base = code.partition("-")
    return {"quote_currency": quote, "target_currency": base}


def units_of(bands: Iterable[tuple[Decimal, Decimal]]) -> BandedUnits:
    """Price units from (floor, unit) in any order."""
    return BandedUnits(tuple(sorted(bands, reverse=True)))


def krw_market(base: str) -> Market:
    """The KRW market of ``base``."""
    return Market(
        exchange=EXCHANGE,
        code=code_of(QUOTE, base),
        base=base,
        quote=QUOTE,
        price_units=KRW_PRICE_UNITS,
        lot_step=LOT_STEP,
        min_qty=LOT_STEP,
        max_qty=MAX_QTY,
        min_cost=MIN_COST,
        fees=FEES,
    )
