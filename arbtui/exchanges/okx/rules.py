"""OKX's spot market rules, from ``GET /api/v5/public/instruments`` or ``GET /api/v5/account/instruments`` (okx.com/docs-v5, as of 2026-07).

``tickSz`` is the price unit, ``lotSz`` the lot and ``minSz`` the least quantity, both in base. There is no least order value. One limit
order is ``maxLmtSz`` at most; ``maxLmtAmt``, the most in USD, is left to the venue to refuse.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from arbtui.exchanges.amounts import fee_rate, read
from arbtui.model.errors import WireError
from arbtui.model.market import Fees, FeeTakenIn, FixedUnit, Market
from arbtui.model.money import ZERO

EXCHANGE = "okx"
#: Regular users, tier 1: maker 0.08 %, taker 0.1 % (okx.com/fees; the example of "Get fee rates"), taken in what the trade brings in.
FEES = Fees(taker=Decimal("0.001"), maker=Decimal("0.0008"), taken_in=FeeTakenIn.RECEIVED)
#: ``instCategory`` of coins; others are stocks, commodities, currencies and bonds, whose tickers may be a coin's.
_CRYPTO = ("1", "")


class _Instrument(msgspec.Struct, rename="camel"):
    inst_id: str
    base_ccy: str
    quote_ccy: str
    state: str
    tick_sz: str
    lot_sz: str
    min_sz: str
    max_lmt_sz: str = ""
    rule_type: str = "normal"
    inst_category: str = ""
    group_id: str = ""
    exp_time: str = ""


class _FeeGroup(msgspec.Struct, rename="camel"):
    group_id: str
    taker: str
    maker: str


class FeeRates(msgspec.Struct, rename="camel"):
    """A row of ``GET /api/v5/account/trade-fee``. A rate is negative where it is charged."""

    taker: str = ""
    maker: str = ""
    fee_group: list[_FeeGroup] = []


def spot_market(base: str, quote: str, tick: Decimal, lot: Decimal, min_qty: Decimal) -> Market:
    """A spot market by its three rules, as the simulator needs it."""
    return Market(EXCHANGE, f"{base}-{quote}", base, quote, FixedUnit(tick), lot, min_qty, Decimal("1e15"), ZERO, FEES)


def markets_of(
    rows: list[Any], odd: dict[str, str] | None = None, groups: dict[str, str] | None = None, leaving: dict[str, str] | None = None
) -> dict[str, Market]:
    """Every spot market that trades, by code, from the rows of an instruments answer.

    A market whose rules cannot be read is left out; ``odd`` gets each, and why. ``groups`` gets each market's fee group, and
    ``leaving`` the time (ms since the epoch) at which the venue takes a market off its list, where it has announced one.
    """
    markets: dict[str, Market] = {}
    for row in rows:
        code = str(row.get("instId", "?")) if isinstance(row, dict) else "?"
        try:
            instrument = read(row, _Instrument, "instruments")
            if instrument.state != "live" or instrument.rule_type != "normal" or instrument.inst_category not in _CRYPTO:
                continue
            markets[code] = _market(instrument)
        except (WireError, ArithmeticError) as error:
            if odd is not None:
                odd[code] = error.detail if isinstance(error, WireError) else str(error) or type(error).__name__
            continue
        if groups is not None:
            groups[code] = instrument.group_id
        if leaving is not None and instrument.exp_time:
            leaving[code] = instrument.exp_time
    return markets


def with_fees(
    markets: Mapping[str, Market], rates: FeeRates, groups: Mapping[str, str], taken_in: FeeTakenIn, odd: dict[str, str] | None = None
) -> dict[str, Market]:
    """``markets`` with the account's own rates: those of each market's fee group, else the common ones, else the documented.

    A market whose rates make no sense is left out; ``odd`` is told of each, and why.
    """
    by_group = {group.group_id: (group.taker, group.maker) for group in rates.fee_group}
    made = {}
    for code, market in markets.items():
        taker, maker = by_group.get(groups.get(code, ""), (rates.taker, rates.maker))
        try:
            fees = Fees(-_rate(taker) if taker else FEES.taker, -_rate(maker) if maker else FEES.maker, taken_in)
        except WireError as error:
            if odd is not None:
                odd[code] = error.detail
            continue
        made[code] = replace(market, fees=fees)
    return made


def _market(instrument: _Instrument) -> Market:
    tick, lot, least = (Decimal(text).normalize() for text in (instrument.tick_sz, instrument.lot_sz, instrument.min_sz))
    most = Decimal(instrument.max_lmt_sz).normalize() if instrument.max_lmt_sz else Decimal("1e15")
    numbers = (tick, lot, least, most)
    if not all(number.is_finite() and number > 0 for number in numbers) or most < least:
        raise WireError("instruments", f"{instrument.inst_id} has rules that make no sense: {', '.join(map(str, numbers))}")
    if not instrument.base_ccy or not instrument.quote_ccy:
        raise WireError("instruments", f"{instrument.inst_id} names no currencies")
    return Market(
        exchange=EXCHANGE,
        code=instrument.inst_id,
        base=instrument.base_ccy,
        quote=instrument.quote_ccy,
        price_units=FixedUnit(tick),
        lot_step=lot,
        min_qty=least,
        max_qty=most,
        min_cost=ZERO,
        fees=FEES,
    )


def _rate(text: str) -> Decimal:
    try:
        rate = Decimal(text)
    except ArithmeticError:
        rate = Decimal("NaN")
    return fee_rate(rate, "trade-fee")
