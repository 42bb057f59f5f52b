"""The limits of a run, as text, and order sizes that they or a venue's minimum can never allow."""

from typing import Any

from arbtui.exchanges.venues import VENUES, roughly
from arbtui.risk.config import MONEY_LIMITS, LimitSet, risk_defaults
from arbtui.settings.profile import Settings


def limit_set(settings: Settings) -> LimitSet:
    """Which set of defaults fills in what the profile leaves out: ``live`` only where orders go to real venues."""
    return "live" if settings.goes_to_real_venues else "paper"


def limit_facts(settings: Settings) -> dict[str, Any]:
    """The set's name and every limit by its table, as JSON; ``netting`` {band, max_open_fx} as they hold for this order size.

    Money is in ``currency``.
    """
    band, most = _open_fx(settings)
    return {
        "set": limit_set(settings),
        "currency": settings.desk.currency,
        **settings.risk.model_dump(by_alias=True),
        "netting": {"band": band, "max_open_fx": most},
    }


def _open_fx(settings: Settings) -> tuple[float, float]:
    """The band and the limit of what may be open of another settlement currency, in the desk's."""
    size = settings.execution.order_value
    return settings.netting.band_for(size), settings.netting.limit_for(size)


def limits_in_words(settings: Settings, *, money_only: bool = False) -> str:
    """``paper set (play money): max_unhedged 2000 USDT, ...``, and which of them the profile or the environment has set otherwise.

    ``money_only``: of the values those in money alone; `arbtui limits` lists all.
    """
    which, money = limit_set(settings), f" {settings.desk.currency}"
    held, usual = settings.risk.model_dump(), risk_defaults(which).model_dump()
    shown = [(name, value) for tier in held.values() for name, value in tier.items() if not money_only or name in MONEY_LIMITS]
    parts = [f"{name} {value:.12g}{money if name in MONEY_LIMITS else ''}" for name, value in shown]
    if len(settings.settlement) > 1:
        band, most = _open_fx(settings)
        parts.append(f"max_open_fx {most:g}{money} ({f'netted from {band:g}' if settings.netting.enabled else 'netting is off'})")
    own = [name for tier, limits in held.items() for name, value in limits.items() if value != usual[tier][name]]
    words = f"{which} set ({'real orders' if which == 'live' else 'play money'}): {', '.join(parts)}"
    return f"{words}; set otherwise: {', '.join(own)}" if own else words


def rate_guard_in_words(settings: Settings) -> str:
    """How the exchange rate is guarded, with the symbols that the profile asks for; empty where the venues quote one currency."""
    if len(settings.settlement) < 2:
        return ""
    rates, wanted = settings.rates, settings.universe.symbols
    coins = wanted if isinstance(wanted, int) else len(set(wanted) - set(settings.universe.exclude))
    jumps = f"a jump of {rates.max_jump_bps:g} bps within a second blocks"
    if coins < rates.min_coins:
        return (
            f"{coins} symbols, and comparing the rate with what the coins imply takes {rates.min_coins}: only jumps are seen, {jumps} for "
            f"{rates.jump_block_s:g} s; a rate that is wrong by less, or goes wrong slowly, is not noticed"
        )
    return f"compared with the median of what the coins imply: {rates.max_deviation_bps:g} bps apart blocks, and {jumps}"


def limit_problems(settings: Settings) -> list[str]:
    """Why no cycle can ever open: order size against the venues' minimums, the profile's own limits and its simulated balances."""
    size, unhedged, problems = settings.execution.order_value, settings.risk.global_.max_unhedged, []
    if small := [words for name in settings.exchanges if (words := _least_order_over(settings, name))]:
        least = " and of ".join(small)
        problems.append(
            f"execution.order_value {size:g} {settings.desk.currency} is not above the least order of {least}: nothing will open"
        )
    if size > unhedged:
        problems.append(f"risk.global.max_unhedged {unhedged:g} is under execution.order_value {size:g}: nothing will open")
    if size > _open_fx(settings)[1] and len(settings.settlement) > 1:
        most = _open_fx(settings)[1]
        problems.append(f"netting.max_open_fx {most:g} is under execution.order_value {size:g}: nothing will open")
    if settings.mode == "sim" and _is_over_stock(settings):
        problems.append(
            f"execution.order_value {size:g} is over simulator.stock_value {settings.simulator.stock_value:g}: no stock can cover it"
        )
    return problems


def _is_over_stock(settings: Settings) -> bool:
    simulator = settings.simulator
    size = roughly(settings.execution.order_value, settings.desk.currency, simulator.stock_currency)
    return size is not None and size > simulator.stock_value


def _least_order_over(settings: Settings, exchange: str) -> str:
    """The venue and its least order, where the order's value does not exceed that: rounded down to lots it would be below it."""
    venue, size, currency = VENUES[exchange], settings.execution.order_value, settings.desk.currency
    quote = settings.exchanges[exchange].quote
    least = roughly(float(venue.min_cost), quote, currency)
    if least is None or size > least:
        return ""
    about = "" if currency == quote else f", about {least:,.{1 if least < 100 else 0}f} {currency}"
    return f"{exchange} ({venue.min_cost:,f} {quote}{about})"
