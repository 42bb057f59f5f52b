"""The limits of a run, as text, and order sizes that they or a venue's minimum can never allow."""

from typing import Any

from arbtui.exchanges.venues import VENUES
from arbtui.risk.config import LimitSet, risk_defaults
from arbtui.settings.profile import Settings

#: Limits whose name does not contain the unit.
_UNITS = dict.fromkeys(("max_unhedged", "max_loss_day", "max_loss_hour", "max_drawdown", "max_factor_exposure"), " USDT")


def limit_set(settings: Settings) -> LimitSet:
    """Which set of defaults fills in what the profile leaves out: ``live`` only where orders go to real venues."""
    return "live" if settings.goes_to_real_venues else "paper"


def limit_facts(settings: Settings) -> dict[str, Any]:
    """The set's name and every limit by its table, as JSON; ``netting`` {band, max_open_fx} in USDT, as they hold for this order size."""
    band, most = _open_fx(settings)
    return {"set": limit_set(settings), **settings.risk.model_dump(by_alias=True), "netting": {"band": band, "max_open_fx": most}}


def _open_fx(settings: Settings) -> tuple[float, float]:
    """The band and the limit of what may be open of the won, in USDT."""
    size = settings.execution.order_value
    return settings.netting.band_for(size), settings.netting.limit_for(size)


def limits_in_words(settings: Settings, *, money_only: bool = False) -> str:
    """``paper set (play money): max_unhedged 2000 USDT, ...``, and which of them the profile or the environment has set otherwise.

    ``money_only``: of the values those in money alone; `arbtui limits` lists all.
    """
    which = limit_set(settings)
    held, usual = settings.risk.model_dump(), risk_defaults(which).model_dump()
    shown = [(name, value) for tier in held.values() for name, value in tier.items() if not money_only or _UNITS.get(name)]
    parts = [f"{name} {value:.12g}{_UNITS.get(name, '')}" for name, value in shown]
    if len({exchange.quote for exchange in settings.exchanges.values()}) > 1:
        band, most = _open_fx(settings)
        parts.append(f"max_open_fx {most:g} USDT ({f'netted from {band:g}' if settings.netting.enabled else 'netting is off'})")
    own = [name for tier, limits in held.items() for name, value in limits.items() if value != usual[tier][name]]
    words = f"{which} set ({'real orders' if which == 'live' else 'play money'}): {', '.join(parts)}"
    return f"{words}; set otherwise: {', '.join(own)}" if own else words


def rate_guard_in_words(settings: Settings) -> str:
    """How the exchange rate is guarded, with the symbols that the profile asks for; empty where the venues quote one currency."""
    if len({exchange.quote for exchange in settings.exchanges.values()}) < 2:
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
    if small := [words for name in settings.exchanges if (words := _least_order_over(name, size))]:
        problems.append(f"execution.order_value {size:g} USDT is not above the least order of {' and of '.join(small)}: nothing will open")
    if size > unhedged:
        problems.append(f"risk.global.max_unhedged {unhedged:g} is under execution.order_value {size:g}: nothing will open")
    if size > _open_fx(settings)[1] and len({exchange.quote for exchange in settings.exchanges.values()}) > 1:
        most = _open_fx(settings)[1]
        problems.append(f"netting.max_open_fx {most:g} is under execution.order_value {size:g}: nothing will open")
    if settings.mode == "sim" and size > settings.simulator.stock_value:
        problems.append(
            f"execution.order_value {size:g} is over simulator.stock_value {settings.simulator.stock_value:g}: no stock can cover it"
        )
    return problems


def _least_order_over(exchange: str, size: float) -> str:
    """The venue and its least order, where ``size`` (USDT) does not exceed that: rounded down to lots it would be below it."""
    venue = VENUES[exchange]
    least = float(venue.min_cost) / venue.per_dollar
    about = "" if venue.per_dollar == 1.0 else f", about {least:.1f} USDT"
    return f"{exchange} ({venue.min_cost:,f} {venue.quote}{about})" if size <= least else ""
