"""What a person could move between venues to fill a stock that has run short, what that costs, and what a reverse trade would.

A plan is a proposal. Nothing here sends anything: in live a person makes the transfer at the venue.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import inf
from typing import Any

from arbtui.exchanges.networks import NetworkPath, Networks, network_paths
from arbtui.exchanges.venues import RAILS
from arbtui.model.money import BPS, ZERO, decimal_of, floor_to, plain
from arbtui.portfolio.inventory import AssetStock, InventoryLedger, Stock
from arbtui.portfolio.readings import Readings

#: The net edge at the touch of buying an asset at one venue and selling it at another now, in bps; None where nothing is priced.
ReverseEdge = Callable[[str, str, str], float | None]

#: Why a rail cannot be used while a halt of a wallet stands.
GATED = "gated: a notice, or a person, says that its wallet is closed"
_STEP = Decimal("0.00000001")
_CENTS = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Rail:
    """One network of a plan. ``amount`` leaves, ``arrives`` is credited, in units of the asset; None: not told by a venue."""

    network: str
    amount: Decimal
    fee: Decimal | None
    arrives: Decimal | None  #: unknown where the fee is
    minutes: float | None
    why_not: str  #: why it cannot be used now; empty where it can
    whitelisted: bool | None  #: whether an address of the receiver is registered at the sender
    words: str  #: what the venues say of it

    def facts(self) -> dict[str, Any]:
        """As JSON can hold it."""
        amounts = {"amount": plain(self.amount), "fee": _plain(self.fee), "arrives": _plain(self.arrives)}
        rest = {"minutes": self.minutes, "why_not": self.why_not or None, "whitelisted": self.whitelisted, "words": self.words or None}
        return {"network": self.network, **amounts, **rest}


@dataclass(frozen=True, slots=True)
class TransferPlan:
    """How one stock could be filled. Money in the PnL currency, None where a price or an estimate is missing."""

    asset: str
    sender: str
    receiver: str
    missing: Decimal  #: units that the receiver lacks of its target
    rails: tuple[Rail, ...]  #: usable ones first, then the cheapest
    value: Decimal | None
    fee_value: Decimal | None  #: of the first rail
    risk: Decimal | None  #: standard deviation of the value while it is under way
    reverse_cost: Decimal | None  #: of bringing the same amount by reverse trades at the prices of now; negative earns
    travel_rule: bool
    lock: str  #: what is known of money paid in that may not leave yet; empty where the sender locks nothing

    @property
    def id(self) -> str:
        """``XRP:binance>upbit``: from where to where."""
        return f"{self.asset}:{self.sender}>{self.receiver}"

    @property
    def best(self) -> Rail | None:
        """The first rail that can be used now."""
        return next((rail for rail in self.rails if not rail.why_not), None)

    def gated(self) -> "TransferPlan":
        """The same with no rail that can be used: a halt says that the coin is not to be moved."""
        return replace(self, rails=tuple(replace(rail, why_not=rail.why_not or GATED) for rail in self.rails))

    def facts(self) -> dict[str, Any]:
        """As JSON can hold it."""
        money = {name: _plain(getattr(self, name)) for name in ("value", "fee_value", "risk", "reverse_cost")}
        place = {"id": self.id, "asset": self.asset, "from": self.sender, "to": self.receiver, "missing": plain(self.missing)}
        return {
            **place,
            **money,
            "travel_rule": self.travel_rule,
            "lock": self.lock or None,
            "rails": [rail.facts() for rail in self.rails],
        }


def transfer_plans(
    portfolio: Readings,
    networks: Mapping[str, Networks],
    prices: Mapping[str, Decimal],
    below: float,
    now_ms: int,
    reverse_edge: ReverseEdge = lambda *_: None,
    asset: str | None = None,
) -> list[TransferPlan]:
    """A plan for each stock under ``below`` of its target that another venue has a surplus of, the emptiest first.

    Args:
        portfolio: what is held, and the targets.
        networks: terms by exchange; those of a venue that was not asked are missing.
        prices: in the PnL currency.
        below: share of the target under which a stock is short.
        now_ms: wall clock.
        reverse_edge: what reverse trades would earn or cost.
        asset: only of this one.
    """
    found: list[tuple[float, TransferPlan]] = []
    ledger = InventoryLedger(portfolio)
    for row in ledger.read([asset] if asset else ledger.assets(), prices):
        for short, giving in _pairs(row, below):
            found.append((short.share or 0.0, _plan(portfolio, row.asset, short, giving, networks, prices, now_ms, reverse_edge)))
    return [plan for _, plan in sorted(found, key=lambda pair: (pair[0], pair[1].id))]


def _pairs(row: AssetStock, below: float) -> Iterator[tuple[Stock, Stock]]:
    """Each place that is short, what is under way to it counted, with the one that has most to spare."""
    for short in row.places:
        if short.target > ZERO and float((short.total + short.coming) / short.target) < below:
            others = [place for place in row.places if place is not short and _spare(place) > ZERO]
            if others:
                yield short, max(others, key=_spare)


def _spare(place: Stock) -> Decimal:
    return min(place.free, place.total - place.target)


def _plan(
    portfolio: Readings,
    asset: str,
    short: Stock,
    giving: Stock,
    networks: Mapping[str, Networks],
    prices: Mapping[str, Decimal],
    now_ms: int,
    reverse_edge: ReverseEdge,
) -> TransferPlan:
    missing, sender, receiver = short.target - short.total - short.coming, giving.exchange, short.exchange
    rails = _rails(asset, sender, receiver, missing, _spare(giving), networks)
    best = rails[0]
    price = prices.get(asset)
    value = None if price is None else best.amount * price
    minutes = best.minutes
    moves = portfolio.state.volatility.get(asset)
    share = moves.over(minutes) if moves is not None and minutes is not None else None
    edge = reverse_edge(asset, receiver, sender)
    return TransferPlan(
        asset=asset,
        sender=sender,
        receiver=receiver,
        missing=missing,
        rails=rails,
        value=_cents(value),
        fee_value=None if price is None or best.fee is None else _cents(best.fee * price),
        risk=None if value is None or share is None else _cents(value * decimal_of(share)),
        reverse_cost=None if value is None or edge is None else _cents(-value * decimal_of(edge) / BPS),
        travel_rule=_travel_rule(sender, receiver, value, prices),
        lock=_lock(portfolio, sender, now_ms),
    )


def _rails(asset: str, sender: str, receiver: str, missing: Decimal, spare: Decimal, networks: Mapping[str, Networks]) -> tuple[Rail, ...]:
    """Every network that the sender lists, the usable ones first; one without a name where nothing is known."""
    sends, takes = networks.get(sender), networks.get(receiver)
    if sends is None or takes is None:
        untold = " and ".join(name for name in (sender, receiver) if networks.get(name) is None)
        amount = floor_to(min(missing, spare), _STEP)
        return (Rail("", amount, None, None, None, f"no word from {untold}: networks are shown while the engine runs", None, ""),)
    rails = [_rail(path, missing, spare) for path in network_paths(asset, sender, receiver, sends.get(asset, ()), takes.get(asset, ()))]
    if not rails:
        amount = floor_to(min(missing, spare), _STEP)
        return (Rail("", amount, None, None, None, f"{sender} lists no network of {asset}", None, ""),)
    return tuple(sorted(rails, key=_rank))


def _rank(rail: Rail) -> tuple[bool, bool, Decimal, float]:
    """Usable networks first, then the cheapest, then the quickest; an unknown fee or time comes last."""
    return bool(rail.why_not), rail.fee is None, rail.fee or ZERO, inf if rail.minutes is None else rail.minutes


def _rail(path: NetworkPath, missing: Decimal, spare: Decimal) -> Rail:
    wanted = missing if path.fee is None else missing + path.fee
    amount = floor_to(min(wanted, spare), path.step or _STEP)
    arrives = None if path.fee is None else max(ZERO, amount - path.fee)
    why_not = path.why_not
    if not why_not and arrives is None and amount <= ZERO:
        why_not = f"{plain(min(wanted, spare))} is to send, less than one step, {plain(path.step or _STEP)}"
    elif not why_not and arrives is not None and arrives <= ZERO:
        why_not = "the fee would take all of it"
    elif not why_not and path.least is not None and amount < path.least:
        why_not = f"{plain(amount)} is under the least amount, {plain(path.least)}"
    return Rail(path.network, amount, path.fee, arrives, path.minutes, why_not, path.whitelisted, path.words)


def _travel_rule(sender: str, receiver: str, value: Decimal | None, prices: Mapping[str, Decimal]) -> bool:
    """Whether the receiver must be a verified exchange, its account in the same person's name; also where the value is not known."""
    for rails in (RAILS[name] for name in (sender, receiver) if name in RAILS):
        unit = prices.get(rails.currency)
        if value is None or unit is None or value >= rails.travel_rule_from * unit:
            return True
    return False


def _lock(portfolio: Readings, sender: str, now_ms: int) -> str:
    rails = RAILS.get(sender)
    if rails is None:
        return ""
    first_ms = now_ms - rails.first_lock_h * 3_600_000
    since_ms = now_ms - rails.lock_h * 3_600_000
    mine = [one for one in portfolio.state.paid_in if (one.exchange, one.asset) == (sender, rails.currency) and one.ts_ms >= first_ms]
    recent = sum((one.amount for one in mine if one.ts_ms >= since_ms), ZERO)
    if recent:
        return f"{plain(recent)} {rails.currency} came within {rails.lock_h:g} h: as much may not leave as coins yet"
    if mine:
        return f"{rails.currency} came within {rails.first_lock_h:g} h: locked if it was the first time ever"
    return f"no {rails.currency} paid in within {rails.first_lock_h:g} h is known here"


def plan_lines(plan: TransferPlan, currency: str) -> Sequence[tuple[str, str]]:
    """``plan`` in words: names and texts."""
    lines = [("plan", f"{plan.id}: {plain(plan.missing)} {plan.asset} are missing at {plan.receiver}")]
    for number, rail in enumerate(plan.rails[:3]):
        fee = "fee not told" if rail.fee is None else f"fee {plain(rail.fee)}"
        arrives = "arrives unknown" if rail.arrives is None else f"arrives {plain(rail.arrives)}"
        minutes = "time not told" if rail.minutes is None else f"usually {rail.minutes:g} min"
        told = {True: ", address registered", False: ", address NOT registered", None: ""}[rail.whitelisted]
        state = f" NOT NOW: {rail.why_not}" if rail.why_not else ""
        words = f" ({rail.words})" if rail.words else ""
        name = "transfer" if number == 0 else "or by"
        lines.append((name, f"{plain(rail.amount)} {plan.asset} by {rail.network or '?'}, {fee}, {arrives}, {minutes}{told}{state}{words}"))
    worth = [f"{name} {plain(amount)}" for name, amount in (("worth", plan.value), ("fee", plan.fee_value)) if amount is not None]
    if plan.risk is not None:
        worth.append(f"price risk under way {plain(plan.risk)} (one standard deviation)")
    if worth:
        lines.append(("costs", f"{', '.join(worth)} {currency}"))
    if plan.reverse_cost is not None:
        word = "costs" if plan.reverse_cost >= ZERO else "earns"
        lines.append(("reverse", f"the same by reverse trades {word} {plain(abs(plan.reverse_cost))} {currency} at the prices of now"))
    if plan.travel_rule:
        lines.append(("rule", "travel rule: a verified exchange, the same person's account, a registered address"))
    if plan.lock:
        lines.append(("lock", plan.lock))
    return lines


def _cents(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(_CENTS)


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
