"""Every limit by name: its tier, its unit, which direction is the stricter one, and the scopes that a value of it may be set for.

A scope reads ``TIER.LIMIT`` (``global.max_loss_day``, ``route.order_value``), which holds for all of that tier, or
``TIER.NAME.LIMIT`` (``exchange.binance.max_in_flight_orders``, ``symbol.XRP.order_value``, ``route.XRP:upbit>binance.order_value``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite

from pydantic import BaseModel, ValidationError

from arbtui.model.errors import UsageError
from arbtui.model.scoped_halts import scope_of
from arbtui.risk.config import MONEY_LIMITS, ExchangeLimits, GlobalLimits, RouteLimits, SymbolLimits

TIERS: Mapping[str, type[BaseModel]] = {"global": GlobalLimits, "exchange": ExchangeLimits, "symbol": SymbolLimits, "route": RouteLimits}

#: What may be set besides the limits of the tiers, for a route or a symbol: of ``[execution]`` in a profile.
SIZING = ("order_value", "min_edge_bps")

#: Keys of the tiers' tables that bound nothing.
_NO_LIMITS = frozenset({"factor_correlation"})

#: A higher value is the stricter one.
_STRICTER_HIGHER = frozenset({"min_edge_bps", "min_free_disk_mb", "loss_pause_s", "refusal_pause_s"})

#: Units by how a name ends; ``money``: the currency that PnL is counted in.
_UNITS = {"_ms": "ms", "_s": "s", "_bps": "bps", "_mb": "MB"}
_MONEY = frozenset({*MONEY_LIMITS, "order_value"})


@dataclass(frozen=True, slots=True)
class LimitName:
    """One limit. ``unit``: ``money``, ``ms``, ``s``, ``bps``, ``MB``, or empty for a count."""

    name: str
    tier: str
    unit: str
    higher_is_stricter: bool

    @property
    def scopes(self) -> tuple[str, ...]:
        """The tiers that a value of its own may be set for: a route's also for the symbol that it trades."""
        return ("route", "symbol") if self.tier == "route" else (self.tier,)

    def stricter(self, one: float, other: float) -> float:
        """Whichever of two values allows less."""
        return max(one, other) if self.higher_is_stricter else min(one, other)

    def loosens(self, before: float, after: float) -> bool:
        """Whether ``after`` allows more than ``before``."""
        return self.stricter(before, after) != after

    def problem(self, value: float) -> str | None:
        """Why ``value`` cannot be one of this limit, or None."""
        if not isfinite(value):
            return f"{self.name}: a number is needed"
        if self.name in SIZING:
            return None if value > 0 or self.name != "order_value" else f"{self.name} must be above 0"
        kind = TIERS[self.tier]
        whole = kind.model_fields[self.name].annotation is int
        if whole and value != int(value):
            return f"{self.name} must be a whole number"
        try:
            kind.model_validate({self.name: int(value) if whole else value})
        except ValidationError as error:
            return f"{self.name}: {error.errors()[0]['msg'].lower()}"
        return None


def _unit(name: str) -> str:
    if name == "max_orders_s":  # a count in a second
        return ""
    return "money" if name in _MONEY else next((unit for end, unit in _UNITS.items() if name.endswith(end)), "")


def _named(tier: str, name: str) -> LimitName:
    return LimitName(name, tier, _unit(name), name in _STRICTER_HIGHER)


LIMITS: Mapping[str, LimitName] = {
    name: _named(tier, name)
    for tier, kind in TIERS.items()
    for name in (*kind.model_fields, *(SIZING if tier == "route" else ()))
    if name not in _NO_LIMITS
}
"""By name; no two tiers share one."""


@dataclass(frozen=True, slots=True)
class LimitScope:
    """One limit, for all of a tier or for one exchange, symbol or route: ``name`` is empty for all."""

    limit: LimitName
    tier: str
    name: str

    def __str__(self) -> str:
        return f"{self.tier}.{self.name}.{self.limit.name}" if self.name else f"{self.tier}.{self.limit.name}"


def parse_scope(text: str) -> LimitScope | str:
    """The scope that ``text`` names, or what is wrong with it and what to write instead."""
    tier, _, rest = text.strip().partition(".")
    name, _, limit = rest.rpartition(".")
    known = LIMITS.get(limit)
    if known is None:
        close = get_close_matches(limit or tier, LIMITS, n=1, cutoff=0.5)
        hint = f"did you mean {LIMITS[close[0]].tier}.{close[0]}?" if close else "arbtui limits lists them"
        return f"{text!r} names no limit; {hint}"
    forms = ", ".join(f"{one}.{limit}" if one == "global" else f"{one}.{limit}, {one}.NAME.{limit}" for one in known.scopes)
    if tier not in known.scopes or (tier == "global" and name):
        return f"{text!r}: {limit} is set as {forms}"
    if not name:
        return LimitScope(known, tier, "")
    if tier == "symbol" and ":" in name:
        return f"{text!r}: a limit holds for a symbol wherever it is traded, such as symbol.{name.rpartition(':')[2]}.{limit}"
    try:
        return LimitScope(known, tier, scope_of(f"{tier}.{name}").partition(".")[2])
    except UsageError:
        return f"{text!r}: {name!r} is no name of a {tier}"
