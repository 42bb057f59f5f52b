"""What the journal remembers: one frozen struct an event, written as versioned JSON.

Money and quantities are Decimal here and strings in JSON; times are ms since the epoch, UTC. The journal adds to each
event its number, its time and its run (:class:`Recorded`). A class may gain a field with a default in the same version;
any other change needs a new number in :data:`VERSIONS` and a reader of the old one.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from arbtui.model.errors import UsageError
from arbtui.model.order import Fill, Order, OrderState, Purpose, Side, TimeInForce

Source = Literal["answer", "stream", "recovery"]


class CycleState(StrEnum):
    """Where a cycle stands, in the journal's words."""

    OPEN = "OPEN"
    HEDGED = "HEDGED"  #: both legs done; flat within the dust
    UNWOUND = "UNWOUND"  #: the leg that ran ahead was taken back; flat within the dust
    RESIDUAL = "RESIDUAL"  #: something is left over; the operator must acknowledge


class JournalCreated(Struct, frozen=True):
    """The first event of each journal. ``salt`` goes into every client order id of this state folder."""

    salt: str


class RunStarted(Struct, frozen=True):
    """A run begins. ``origins``: exchange to the origin of its REST URL (or ``simulator``); ``seed`` None in real markets."""

    run_id: str
    profile: str
    mode: str
    seed: int | None
    version: str
    config_hash: str
    origins: dict[str, str]
    start_state: str


class RunEnded(Struct, frozen=True):
    """A run ended by itself; a run without this one crashed."""

    run_id: str
    stop_reason: str
    exit_code: int


class PlannedLeg(Struct, frozen=True):
    """One leg as planned: ``qty`` in base, ``price`` the worst allowed, in quote."""

    leg: int
    exchange: str
    market: str
    side: Side
    qty: Decimal
    price: Decimal


class CycleOpened(Struct, frozen=True):
    """A cycle begins. ``edge_bps``: net edge at decision."""

    cycle_id: str
    route: str
    symbol: str
    edge_bps: float
    legs: tuple[PlannedLeg, ...]
    opened_ms: int


class OrderIntended(Struct, frozen=True):
    """An order is about to be sent: committed before its first byte leaves."""

    client_order_id: str
    cycle_id: str
    leg: int
    attempt: int
    purpose: Purpose
    exchange: str
    market: str
    base: str
    quote: str
    side: Side
    qty: Decimal
    price: Decimal
    tif: TimeInForce
    epoch: int

    @classmethod
    def of(cls, order: Order) -> "OrderIntended":
        """The intent of ``order``."""
        market = order.market
        return cls(
            order.client_order_id,
            order.cycle_id,
            order.leg,
            order.attempt,
            order.purpose,
            market.exchange,
            market.code,
            market.base,
            market.quote,
            order.side,
            order.qty,
            order.price,
            order.tif,
            order.epoch,
        )


class OrderChanged(Struct, frozen=True):
    """An order's state after something happened to it. ``filled_qty`` is cumulative, in base."""

    client_order_id: str
    state: OrderState
    venue_order_id: str
    filled_qty: Decimal
    reason: str

    @classmethod
    def of(cls, order: Order) -> "OrderChanged":
        """Where ``order`` stands now."""
        return cls(order.client_order_id, order.state, order.venue_order_id, order.filled_qty, order.reason)


class FillRecorded(Struct, frozen=True):
    """An execution, how we learned of it, and our balances after it: (exchange, asset, free, locked)."""

    fill: Fill
    cycle_id: str
    leg: int
    source: Source
    ts_init: int
    balances: tuple[tuple[str, str, Decimal, Decimal], ...]


class CycleEnded(Struct, frozen=True):
    """A cycle ended. ``dust``: what is left, in base; ``pnl``: ``currency`` and its parts, as strings."""

    cycle_id: str
    state: CycleState
    dust: Decimal
    pnl: dict[str, str]
    closed_ms: int
    reason: str


class CycleAcknowledged(Struct, frozen=True):
    """A person has seen a RESIDUAL cycle."""

    cycle_id: str
    by: str
    reason: str


class BalanceRecorded(Struct, frozen=True):
    """A balance as the venue told it, at a run's start or at a check."""

    exchange: str
    asset: str
    free: Decimal
    locked: Decimal
    kind: Literal["start", "check"]


class Adjusted(Struct, frozen=True):
    """A balance moved and no fill of ours explains it. Record the new balance (:class:`BalanceRecorded`) right after it."""

    exchange: str
    asset: str
    change: Decimal
    reason: str


class Transferred(Struct, frozen=True):
    """A person moved an asset: ``sent`` left one exchange, ``received`` (less the network's fee) came to the other."""

    from_exchange: str
    to_exchange: str
    asset: str
    sent: Decimal
    received: Decimal
    reason: str


class BreachRecorded(Struct, frozen=True):
    """A limit was broken. ``severity`` CRIT or WARN; ``scope``: a route, symbol or exchange, or ``global``."""

    breach_id: str
    severity: str
    kind: str
    scope: str
    detail: str
    action: str


class BreachAcknowledged(Struct, frozen=True):
    """A person has seen a breach."""

    breach_id: str
    by: str


class Killed(Struct, frozen=True):
    """The gate was closed. ``source``: KEY, CLI, SIGNAL, GUARD, ...; ``epoch`` after it."""

    source: str
    reason: str
    epoch: int


class Rearmed(Struct, frozen=True):
    """A person opened the gate again."""

    by: str
    reason: str


class StateChanged(Struct, frozen=True):
    """The engine's state changed, and why."""

    state: str
    why: str


class SnapshotTaken(Struct, frozen=True):
    """A state snapshot was stored; it covers every event up to ``seq``."""

    snapshot_no: int
    seq: int


class AlertQueued(Struct, frozen=True):
    """An alert that must reach the operator; in one transaction with the event that it tells of.

    ``alert_id`` is unique in a state folder. ``severity``: CRITICAL, WARN or INFO; alerts of one ``kind`` may be told as one.
    """

    alert_id: str
    severity: str
    kind: str
    text: str


class AlertSent(Struct, frozen=True):
    """A channel (``telegram:CHAT``) took these alerts. ``closed``: those of them that no channel waits for any more."""

    alert_ids: tuple[str, ...]
    channel: str
    attempts: int
    closed: tuple[str, ...]


class AlertGivenUp(Struct, frozen=True):
    """A channel refuses these alerts for good, however plainly worded; never a CRITICAL one. ``closed`` as in :class:`AlertSent`."""

    alert_ids: tuple[str, ...]
    channel: str
    attempts: int
    reason: str
    closed: tuple[str, ...]


class CommandReceived(Struct, frozen=True):
    """A remote command that changes something, before it is acted on. ``update_id``: Telegram's number, acted on once."""

    update_id: int
    user_id: int
    command: str


class CommandActed(Struct, frozen=True):
    """What came of a :class:`CommandReceived`."""

    update_id: int
    outcome: str


Event = (
    JournalCreated
    | RunStarted
    | RunEnded
    | CycleOpened
    | OrderIntended
    | OrderChanged
    | FillRecorded
    | CycleEnded
    | CycleAcknowledged
    | BalanceRecorded
    | Adjusted
    | Transferred
    | BreachRecorded
    | BreachAcknowledged
    | Killed
    | Rearmed
    | StateChanged
    | SnapshotTaken
    | AlertQueued
    | AlertSent
    | AlertGivenUp
    | CommandReceived
    | CommandActed
)

#: The newest version of each event's JSON that this program writes and reads.
VERSIONS: dict[type[Any], int] = dict.fromkeys(get_args(Event), 1)
_DECODERS: dict[str, tuple[int, msgspec.json.Decoder[Any]]] = {
    kind.__name__: (version, msgspec.json.Decoder(kind)) for kind, version in VERSIONS.items()
}
_encode = msgspec.json.Encoder(decimal_format="string").encode


class Recorded(Struct, frozen=True):
    """An event with its place in the journal: ``seq`` rises by one, ``ts_ms`` is our clock, ``run_id`` may be empty."""

    seq: int
    ts_ms: int
    run_id: str
    event: Event


def encode(event: Event) -> tuple[str, int, str]:
    """The type, version and JSON that ``event`` is stored as."""
    kind = type(event)
    return kind.__name__, VERSIONS[kind], _encode(event).decode()


def decode(type_name: str, version: int, payload: str) -> Event:
    """The event that was stored.

    Raises:
        UsageError: a newer program wrote it, or the JSON does not hold what its version promises.
    """
    known, decoder = _DECODERS.get(type_name, (0, None))
    if decoder is None or version > known:
        raise UsageError(f"journal event {type_name} version {version}: written by a newer version of arbtui; use that one to read it")
    try:
        event: Event = decoder.decode(payload)
    except msgspec.DecodeError as error:
        raise UsageError(f"journal event {type_name} version {version}: {error}: the journal is damaged; restore a backup") from error
    return event
