"""Which limit holds where: of the profile's value and those that operators have set, the strictest that applies."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from types import MappingProxyType
from typing import Any, TypeVar

from arbtui.journal.events import LimitChanged
from arbtui.model.clock import iso_ms
from arbtui.portfolio.state import LimitRecord
from arbtui.risk.config import ExchangeLimits, GlobalLimits, RiskConfig, RouteLimits, SymbolLimits
from arbtui.risk.limit_names import LIMITS, SIZING, TIERS, LimitScope, parse_scope

Limits = TypeVar("Limits", GlobalLimits, ExchangeLimits, SymbolLimits, RouteLimits)


Used = float | tuple[float, str] | None
"""How much of a limit is used now, with a note where there is one; None where nothing is counted."""


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One scope, for a list. ``journal`` None: nothing is set; ``holds``: the stricter; ``used``: now, None where nothing is counted."""

    scope: str
    unit: str
    higher_is_stricter: bool
    profile: float
    journal: float | None
    holds: float
    used: float | None
    by: str = ""
    reason: str = ""
    since_ms: int = 0
    note: str = ""  #: what else there is to say of what is used

    def facts(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "scope": self.scope,
            "unit": self.unit,
            "stricter": "higher" if self.higher_is_stricter else "lower",
            "profile": self.profile,
            "journal": self.journal,
            "holds": self.holds,
            "used": self.used if self.used is not None and isfinite(self.used) else None,
            "note": self.note or None,
            "by": self.by or None,
            "reason": self.reason or None,
            "since": iso_ms(self.since_ms) if self.since_ms else None,
        }


class LimitBook:
    """The profile's limits and what operators have set, by scope.

    Args:
        config: the profile's limits.
        order_value: the profile's, in the PnL currency.
        min_edge_bps: the profile's.
        own: what was set, by scope; a live mapping, read at each question.
    """

    def __init__(self, config: RiskConfig, order_value: float, min_edge_bps: float, own: Mapping[str, LimitRecord]) -> None:
        tables = config.model_dump(by_alias=True)
        sizing = {"order_value": order_value, "min_edge_bps": min_edge_bps}
        self._config = config
        self._profile = {name: float(sizing[name] if name in SIZING else tables[limit.tier][name]) for name, limit in LIMITS.items()}
        self._own = own

    def value(self, name: str, **names: str) -> float:
        """What holds of limit ``name``; ``names``: which exchange, symbol or route is asked about, by tier."""
        limit = LIMITS[name]
        value = self._profile[name]
        for tier in limit.scopes:
            for scope in (f"{tier}.{name}", f"{tier}.{names[tier]}.{name}") if tier in names else (f"{tier}.{name}",):
                own = self._own.get(scope)
                if own is not None:
                    value = limit.stricter(value, own.value)
        return value

    def holds(self, scope: LimitScope) -> float:
        """What holds there."""
        names = {scope.tier: scope.name} if scope.name else {}
        if scope.tier == "route" and scope.name:  # what is set for its symbol holds too
            names["symbol"] = scope.name.partition(":")[0]
        return self.value(scope.limit.name, **names)

    def names_of_its_own(self) -> set[str]:
        """Symbols and routes for which something is set: what holds for all others is the same."""
        parsed = (parse_scope(text) for text in self._own)
        return {scope.name for scope in parsed if isinstance(scope, LimitScope) and scope.tier in ("symbol", "route") and scope.name}

    def void(self) -> Mapping[str, str]:
        """What was set and holds nothing, by scope as it stands in the journal, and why: an earlier version knew that name."""
        return {text: why for text in self._own if isinstance(why := parse_scope(text), str)}

    def total(self) -> GlobalLimits:
        """What holds over everything."""
        return self._table("global", self._config.global_)

    def exchange(self, exchange: str) -> ExchangeLimits:
        """What holds at one venue."""
        return self._table("exchange", self._config.exchange, exchange=exchange)

    def symbol(self, symbol: str) -> SymbolLimits:
        """What holds for one asset."""
        return self._table("symbol", self._config.symbol, symbol=symbol)

    def route(self, symbol: str = "", route: str = "") -> RouteLimits:
        """What holds for one route of an asset."""
        return self._table("route", self._config.route, symbol=symbol, route=route)

    def rows(self, used: Callable[[LimitScope], Used] = lambda _: None) -> list[LimitRow]:
        """Every limit for all of its tier, and every scope that has a value of its own; ``used`` says how much is used now."""
        scopes = [LimitScope(limit, limit.tier, "") for limit in LIMITS.values()]
        own = [parsed for text in self._own if isinstance(parsed := parse_scope(text), LimitScope)]
        listed = dict.fromkeys([*scopes, *sorted(own, key=lambda one: (list(TIERS).index(one.tier), one.name, one.limit.name))])
        return [self._row(scope, used(scope)) for scope in listed]

    def _row(self, scope: LimitScope, told: Used) -> LimitRow:
        used, note = told if isinstance(told, tuple) else (told, "")
        limit, own = scope.limit, self._own.get(str(scope))
        return LimitRow(
            scope=str(scope),
            unit=limit.unit,
            higher_is_stricter=limit.higher_is_stricter,
            profile=self._profile[limit.name],
            journal=None if own is None else own.value,
            holds=self.holds(scope),
            used=used,
            by="" if own is None else own.by,
            reason="" if own is None else own.reason,
            since_ms=0 if own is None else own.ts_ms,
            note=note,
        )

    def _table(self, tier: str, table: Limits, **names: str) -> Limits:
        if not self._own:
            return table
        kind = type(table).model_fields
        values = {name: self.value(name, **names) for name in kind if name in LIMITS}
        return table.model_copy(update={name: int(value) if kind[name].annotation is int else value for name, value in values.items()})

    # changes

    def change(
        self,
        text: str,
        value: float | None,
        by: str,
        reason: str,
        *,
        armed: str = "",
        known: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> LimitChanged | str:
        """The event that sets the limit of scope ``text``, or with None takes its own value away; or why it may not be.

        Args:
            text: the scope.
            value: in the unit of its limit.
            by: who asks for it.
            reason: why; may be empty.
            armed: the state, where orders may leave in it: then nothing may allow more than before.
            known: the names of what runs, by tier, where they are known.
        """
        scope = parse_scope(text)
        if isinstance(scope, str):
            return scope
        limit, own = scope.limit, self._own.get(str(scope))
        if scope.name and scope.tier in known and scope.name not in known[scope.tier]:
            close = get_close_matches(scope.name, sorted(known[scope.tier]), n=1, cutoff=0.5)
            return f"nothing that runs is {scope.tier} {scope.name}{f'; did you mean {close[0]}?' if close else ''}"
        if value is None:
            if own is None:
                return f"{scope} has no value of its own; the profile's holds"
        else:
            problem = limit.problem(value)
            if problem is not None:
                return problem
            profile = self._profile[limit.name]
            if limit.loosens(profile, value):
                return f"the profile allows {profile:g}, and the stricter of the two holds: change {limit.name} there"
            if own is not None and own.value == value:
                return f"{scope} is {value:g} already"
        if armed and self.loosens(scope, value):
            return f"the engine is {armed}: a limit is raised only while it is disarmed, halted or stopped; lowering is possible now"
        return LimitChanged(str(scope), None if own is None else own.value, value, by, reason)

    def loosens(self, scope: LimitScope, value: float | None) -> bool:
        """Whether setting ``value`` there (None: taking its own value away) would allow more than what is set there now."""
        own = self._own.get(str(scope))
        return own is not None and (value is None or scope.limit.loosens(own.value, value))
