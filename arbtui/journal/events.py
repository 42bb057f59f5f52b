"""What the journal remembers: one frozen struct an event, written as versioned JSON.

Money and quantities are Decimal here and strings in JSON; times are ms since the epoch, UTC. The journal adds to each
event its number, its time and its run (:class:`Recorded`). A class may gain a field with a default in the same version;
any other change needs a new number in :data:`VERSIONS` and a reader of the old one. Those that every order makes are stored without the
names of their fields.
"""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from arbtui.journal.compact import Compact
from arbtui.model.errors import UsageError
from arbtui.model.order import Fill, Order, OrderState, Purpose, Side, TimeInForce

Source = Literal["answer", "stream", "recovery"]


#: What PnL is counted in where no run has said so yet.
CURRENCY = "USDT"


class CycleState(StrEnum):
    """Where a cycle stands. No event says it: the portfolio derives it from orders and fills."""

    OPEN = "OPEN"
    HEDGED = "HEDGED"  #: every leg done; flat within the dust
    UNWOUND = "UNWOUND"  #: a leg that ran ahead was taken back; flat within the dust
    RESIDUAL = "RESIDUAL"  #: something is left over: a position until it is traded or written off
    ABANDONED = "ABANDONED"  #: our own gate dropped every order; nothing left
    MISSED = "MISSED"  #: orders were sent, and none filled

    @property
    def is_flat(self) -> bool:
        """True for an ended cycle that left nothing but dust."""
        return self not in (CycleState.OPEN, CycleState.RESIDUAL)


class Phase(StrEnum):
    """What an open cycle does. No event says it: each order's intent, committed before it is sent, does."""

    RESERVED = "RESERVED"  #: everything is set aside; nothing may leave yet
    WORKING = "WORKING"  #: its planned legs
    IN_TRANSIT = "IN_TRANSIT"  #: what it bought moves to the venue where it is to be sold
    HEDGING = "HEDGING"  #: a leg that lags is completed
    UNWINDING = "UNWINDING"  #: a leg that ran ahead is taken back


class JournalCreated(Struct, frozen=True):
    """The first event of each journal. ``salt`` goes into every client order id of this state folder."""

    salt: str


class RunStarted(Struct, frozen=True):
    """A run begins. ``origins``: exchange to the origin of its REST URL (or ``simulator``); ``seed`` None in real markets.

    ``currency``: the one that PnL is counted in; ``settlement``: assets that a cycle may end with more or less of. ``config_hash``: of
    the profile as it was read; ``commit``: of the checkout it ran from, ``lock_hash``: of its pinned dependencies, empty where not known;
    ``accounts``: by exchange, the venue's own number of the account, where it tells one. ``timezone``: IANA name of the desk's.
    """

    run_id: str
    profile: str
    mode: str
    seed: int | None
    version: str
    config_hash: str
    origins: dict[str, str]
    start_state: str
    currency: str = CURRENCY
    settlement: tuple[str, ...] = ("KRW", "USDT")
    commit: str = ""
    lock_hash: str = ""
    journal_format: int = 0
    accounts: dict[str, str] = {}
    timezone: str = "UTC"


class RunEnded(Struct, frozen=True):
    """A run ended by itself; a run without this one crashed."""

    run_id: str
    stop_reason: str
    exit_code: int


class On(StrEnum):
    """When a leg that waits for another one may be sent."""

    FULL = "full"  #: once all of the other has filled
    EACH_FILL = "each fill"  #: for each fill of the other, as much as came
    ARRIVAL = "arrival"  #: once no order of the other can fill any more, and a planned transfer of it is over: as much as came


class LegAfter(Struct, frozen=True):
    """A leg waits for leg number ``leg``."""

    leg: int
    on: On


class PlannedLeg(Struct, frozen=True):
    """One leg as planned: ``qty`` in base, ``price`` the worst allowed, in quote; ``lot``: the market's quantity step, in base.

    ``least``: the market's smallest order, in quote; ``min_qty``: likewise in base, 0 in plans of before it was told. ``after``: the legs
    that it waits for; its quantity is scaled to what the least filled of them brought.
    """

    leg: int
    exchange: str
    market: str
    base: str
    quote: str
    side: Side
    qty: Decimal
    price: Decimal
    lot: Decimal
    least: Decimal = Decimal(0)
    tif: TimeInForce = TimeInForce.IOC
    after: tuple[LegAfter, ...] = ()
    min_qty: Decimal = Decimal(0)


class PlannedTransfer(Struct, frozen=True):
    """What leg number ``leg`` buys is to be moved by a person, before it is sold: ``fee`` of it, in units, stays with the network.

    ``minutes``: what it usually takes. ``least``, ``step``: of an amount that the sender lets go, in units; 0 where there is none.
    """

    leg: int
    asset: str
    from_exchange: str
    to_exchange: str
    network: str
    fee: Decimal
    minutes: float
    least: Decimal = Decimal(0)
    step: Decimal = Decimal(0)


class CycleOpened(Struct, frozen=True):
    """A cycle begins. ``edge_bps``: net edge at decision; ``value``: what it puts at risk at worst, in the PnL currency.

    ``reserved``: what it keeps for its legs and one hedge order until it ends, as (exchange, asset, amount). ``most_cost``: of a reverse
    trade, which brings stock back at a loss: the most that it may cost, in the PnL currency; 0 of any other cycle. ``transfers``: what
    is moved between venues before it is sold.
    """

    cycle_id: str
    route: str
    symbol: str
    edge_bps: float
    value: float
    legs: tuple[PlannedLeg, ...]
    reserved: tuple[tuple[str, str, Decimal], ...]
    opened_ms: int
    most_cost: Decimal = Decimal(0)
    transfers: tuple[PlannedTransfer, ...] = ()


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


#: Why an order is UNKNOWN that no venue can be asked about: its market is gone there. A person may end it.
MARKET_GONE = "MARKET_GONE"
#: What the reason of an order begins with that a person has ended, since its fate cannot be found out; who and why follow.
TAKEN_OVER = "TAKEN_OVER"


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
    """An execution, and how we learned of it. ``ts_init``: our clock, ms.

    ``marks``: price in the PnL currency of each asset that it moved, at the moment it was booked; one without a price is left out.
    """

    fill: Fill
    cycle_id: str
    leg: int
    source: Source
    ts_init: int
    marks: dict[str, Decimal]


class CycleEnded(Struct, frozen=True):
    """No further order of a cycle will be sent. ``reason``: why it did not simply hedge; empty where it did."""

    cycle_id: str
    closed_ms: int
    reason: str


class CycleAcknowledged(Struct, frozen=True):
    """An operator has seen a RESIDUAL cycle: its alarm is silent, its position stays."""

    cycle_id: str
    by: str
    reason: str


class SettlementBegan(Struct, frozen=True):
    """A person has an ended cycle's residual traded away. Committed before the first of its orders, which carry the cycle's id.

    ``how``: ``complete`` (the leg that is missing) or ``flatten`` (what was traded is taken back), at ``exchange``. That the residual
    is gone is what the fills say; no event does.
    """

    cycle_id: str
    how: str
    exchange: str
    by: str
    reason: str


class ResidualSettled(Struct, frozen=True):
    """A person takes the residual of a cycle for stock; nothing is traded.

    ``how``: ``written off`` (the balances stay as they are) or ``adjusted`` (an adjustment of the same size comes with it).
    """

    cycle_id: str
    how: str
    by: str
    reason: str


class BalanceOpened(Struct, frozen=True):
    """What a venue held of an asset when this journal was begun."""

    exchange: str
    asset: str
    total: Decimal


AdjustmentKind = Literal["first seen", "operator", "dust"]


class Adjusted(Struct, frozen=True):
    """A balance moved and no fill of ours explains it.

    ``kind``: an asset that the venue held before this journal knew it, an operator who takes the venue's word, or a
    difference too small to ask about.
    """

    exchange: str
    asset: str
    change: Decimal
    reason: str
    kind: AdjustmentKind
    by: str = ""


class BalanceDisputed(Struct, frozen=True):
    """A venue says, read after read, that it holds another amount than ours: nothing new opens there in this asset."""

    exchange: str
    asset: str
    ours: Decimal
    theirs: Decimal


class DisputeClosed(Struct, frozen=True):
    """A disputed balance is agreed again: adjusted by an operator, or the venue came to say the same as we do."""

    exchange: str
    asset: str
    by: str
    reason: str


class TargetSet(Struct, frozen=True):
    """A person says how much of an asset a venue should hold: ``target`` instead of ``before``, in units."""

    exchange: str
    asset: str
    target: Decimal
    before: Decimal
    by: str
    reason: str


class Transferred(Struct, frozen=True):
    """A person moved an asset: ``sent`` left one exchange, ``received`` (less the network's fee) came to the other."""

    from_exchange: str
    to_exchange: str
    asset: str
    sent: Decimal
    received: Decimal
    reason: str


class TransferBegun(Struct, frozen=True):
    """A person makes a transfer at a venue: ``qty`` is to leave ``from_exchange``, ``fee`` of it stays with the network.

    ``minutes``: what it usually takes. ``cycle_id``: of the cycle that bought the coins and waits for them; empty where stock is moved.
    """

    transfer_id: str
    asset: str
    from_exchange: str
    to_exchange: str
    network: str
    qty: Decimal
    fee: Decimal
    minutes: float
    by: str
    reason: str
    cycle_id: str = ""


class TransferLeft(Struct, frozen=True):
    """The sender's balance has fallen by ``qty``, as that transfer makes it fall."""

    transfer_id: str
    exchange: str
    asset: str
    qty: Decimal


class TransferArrived(Struct, frozen=True):
    """The receiver's balance has risen by ``qty`` that are of that transfer: all of it, or a part."""

    transfer_id: str
    exchange: str
    asset: str
    qty: Decimal


class TransferSettled(Struct, frozen=True):
    """A person ends a transfer that did not come whole. ``how``: ``cancelled`` (nothing left), ``returned`` (to the sender), ``lost``."""

    transfer_id: str
    how: str
    by: str
    reason: str


class BreachRecorded(Struct, frozen=True):
    """A limit was broken. ``severity`` CRIT or WARN; ``scope``: a route, symbol or exchange, or ``global``."""

    breach_id: str
    severity: str
    kind: str
    scope: str
    detail: str
    action: str


class BreachRepeated(Struct, frozen=True):
    """A breach was met ``times`` more since it was recorded or counted last, ``last_ms`` the last of them, and not recorded again.

    Counted for a minute, and written when that is over, when somebody acknowledges the breach, and at the end of a run. A run that ends by
    ``kill -9`` loses what it has counted and not written: at most a minute's count of each breach, not the breach.
    """

    breach_id: str
    times: int
    last_ms: int


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
    """A person opened the gate again.

    ``unchecked``: while no engine ran, so that the next one looks at its checklist before it arms; ``overridden``: the items of it that the
    person has passed over.
    """

    by: str
    reason: str
    unchecked: bool = False
    overridden: tuple[str, ...] = ()


class ScopeHalted(Struct, frozen=True):
    """A halt of less than everything stands: written just now, or found at a start. ``since_ms``: when it was written.

    ``scope``: ``exchange.upbit``, ``symbol.XRP``, ``symbol.upbit:XRP``, ``route.ID`` or ``global``; ``depth``: PAUSED, REDUCING or HALTED.
    """

    scope: str
    depth: str
    source: str
    by: str
    reason: str
    since_ms: int


class ScopeRearmed(Struct, frozen=True):
    """A halt of less than everything was taken away. ``by``: ``unknown`` where its file vanished and nobody said who took it."""

    scope: str
    by: str
    reason: str


class NoticeStep(Struct, frozen=True):
    """What a notice leads to at ``at_ms``.

    ``verb``: ``hold`` (a halt of ``scope`` as deep as ``depth``), ``open`` (take that halt away once the venue has answered a probe), or
    ``rules`` (read the markets' rules again; ``depth`` is then ``again`` for the second reading).
    """

    verb: str
    scope: str
    at_ms: int
    depth: str = ""

    @property
    def key(self) -> str:
        """The same step of a notice, whenever it is due."""
        return f"{self.verb} {self.scope} {self.depth}".rstrip()


class NoticeRead(Struct, frozen=True):
    """A venue's notice about what is traded was read; one of the same ``notice_id`` takes the place of the one before.

    ``digest``: the same for the same words. ``kinds``: see :class:`arbtui.risk.notices.kinds.NoticeKind`; ``coins``: of ours, that it
    concerns; ``new_coins``: that the venue lists now, and that are not traded by themselves. ``at_ms``, ``until_ms``: of what it announces,
    None where none could be read; ``steps``: what it leads to, those of the notice before included.
    """

    notice_id: str
    exchange: str
    title: str
    url: str
    digest: str
    published_ms: int
    kinds: tuple[str, ...]
    coins: tuple[str, ...]
    at_ms: int | None = None
    until_ms: int | None = None
    steps: tuple[NoticeStep, ...] = ()
    new_coins: tuple[str, ...] = ()


class NoticeActed(Struct, frozen=True):
    """A step of a notice was done, or was in vain: ``outcome`` in words. It is not done again. ``step``: its key."""

    notice_id: str
    step: str
    outcome: str


class StateChanged(Struct, frozen=True):
    """The engine's state changed, and why. ``latched``: it outlives a restart until an operator re-arms by typing."""

    state: str
    why: str
    latched: bool = False


class RouteSwitched(Struct, frozen=True):
    """An operator disabled a route, or enabled it again."""

    route: str
    enabled: bool
    by: str


class LimitChanged(Struct, frozen=True):
    """An operator set a limit, or took its value away: then the profile's holds alone.

    ``scope``: ``global.max_loss_day``, ``symbol.XRP.order_value``, ...; ``old``, ``new``: None where it has no value of its own.
    """

    scope: str
    old: float | None
    new: float | None
    by: str
    reason: str


class Mark(Struct, frozen=True, array_like=True):
    """What one unit of an asset is worth in the PnL currency. ``source``: a book (``binance:XRPUSDT``); ``age_ms`` of that book."""

    price: Decimal
    source: str
    age_ms: int


MarkCause = Literal["start", "time", "day", "snapshot", "limit", "end"]


class MarksTaken(Struct, frozen=True):
    """Prices of the assets held: those that changed since the last ones. ``day``: the desk's date, ``2026-11-29``."""

    cause: MarkCause
    day: str
    marks: dict[str, Mark]


class ChecksMade(Struct, frozen=True, array_like=True):
    """How often ``check`` was made at ``exchange``: answered, not answered, and how many differences it found."""

    exchange: str
    check: str
    done: int
    failed: int
    found: int


class AccountsReconciled(Struct, frozen=True):
    """The comparison with the venues has found something while a run went on; ``checks``: since ``since_ms``, when it last had.

    What a difference means is in the events that it became: fills, ends of orders, disputes, breaches.
    """

    since_ms: int
    checks: tuple[ChecksMade, ...]


class SnapshotTaken(Struct, frozen=True):
    """A state snapshot was stored; it covers every event up to ``seq``. ``digest``: SHA-256 of its row, empty before format 3."""

    snapshot_no: int
    seq: int
    digest: str = ""


class EventsArchived(Struct, frozen=True):
    """The events ``first`` to ``last`` are in the archive ``file`` beside the journal: on disk, read back, and no longer needed here.

    ``sha256``: of the file, hex; ``size``: its bytes; ``before``, ``after``: the chain's hash before the first and at the last event, hex;
    ``from_ms``, ``to_ms``: the earliest and the latest time of any of them.
    """

    first: int
    last: int
    file: str
    sha256: str
    size: int
    before: str
    after: str
    from_ms: int
    to_ms: int


class RowsRolledUp(Struct, frozen=True):
    """Rows of cycles, orders and fills go from the tables: those of cycles that ended flat, or were settled, at ``last`` or before."""

    last: int


class AlertQueued(Struct, frozen=True):
    """An alert that must reach the operator; in one transaction with the event that it tells of.

    ``alert_id`` is unique in a state folder. ``severity``: CRITICAL, WARN or INFO; alerts of one ``kind`` may be told as one.
    """

    alert_id: str
    severity: str
    kind: str
    text: str


class AlertSent(Struct, frozen=True):
    """A channel (``telegram:CHAT``) took these alerts. ``closed``: those of them that no channel waits for any more.

    A second call took those that it tells of, which were told already: channel ``second way``.
    """

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


class AlertAcknowledged(Struct, frozen=True):
    """A person has seen an alert that belongs to no breach, such as one of a kill's end; of a breach it is :class:`BreachAcknowledged`."""

    alert_id: str
    by: str


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
    | SettlementBegan
    | ResidualSettled
    | BalanceOpened
    | Adjusted
    | BalanceDisputed
    | DisputeClosed
    | TargetSet
    | Transferred
    | TransferBegun
    | TransferLeft
    | TransferArrived
    | TransferSettled
    | BreachRecorded
    | BreachRepeated
    | BreachAcknowledged
    | Killed
    | Rearmed
    | ScopeHalted
    | ScopeRearmed
    | NoticeRead
    | NoticeActed
    | StateChanged
    | RouteSwitched
    | LimitChanged
    | MarksTaken
    | AccountsReconciled
    | SnapshotTaken
    | EventsArchived
    | RowsRolledUp
    | AlertQueued
    | AlertSent
    | AlertGivenUp
    | AlertAcknowledged
    | CommandReceived
    | CommandActed
)

#: Stored in their short form (:mod:`arbtui.journal.compact`) since the version given; the one before it held names, and is still read.
COMPACT_SINCE: dict[type[Any], int] = {CycleOpened: 3, FillRecorded: 3, CycleEnded: 3, OrderIntended: 2, OrderChanged: 2}
#: The version of each event's JSON that this program writes. Those that were 1 in journals of format 1 said what
#: an event meant (balances, outcome, PnL); such a journal is refused as a whole (see ``schema.py``).
VERSIONS: dict[type[Any], int] = dict.fromkeys(get_args(Event), 1) | {Adjusted: 2} | COMPACT_SINCE
_COMPACT: dict[type[Any], Compact[Any]] = {kind: Compact(kind) for kind in COMPACT_SINCE}
_encode = msgspec.json.Encoder(decimal_format="string").encode


def _readers() -> dict[str, dict[int, Callable[[str], Any]]]:
    """By type and version, what reads it."""
    known: dict[str, dict[int, Callable[[str], Any]]] = {}
    for kind, version in VERSIONS.items():
        named = msgspec.json.Decoder(kind).decode
        short = _COMPACT.get(kind)
        known[kind.__name__] = {version: named} if short is None else {version - 1: named, version: short.decode}
    return known


_READERS = _readers()


class Recorded(Struct, frozen=True):
    """An event with its place in the journal: ``seq`` rises by one, ``ts_ms`` is our clock, ``run_id`` may be empty."""

    seq: int
    ts_ms: int
    run_id: str
    event: Event


def encode(event: Event) -> tuple[str, int, str]:
    """The type, version and JSON that ``event`` is stored as."""
    kind = type(event)
    short = _COMPACT.get(kind)
    return kind.__name__, VERSIONS[kind], (_encode(event) if short is None else short.encode(event)).decode()


def decode(type_name: str, version: int, payload: str) -> Event:
    """The event that was stored.

    Raises:
        UsageError: a newer program wrote it, or the JSON does not hold what its version promises.
    """
    readers = _READERS.get(type_name, {})
    read = readers.get(version)
    if read is None:
        by = "an earlier" if readers and version < max(readers) else "a newer"
        raise UsageError(f"journal event {type_name} version {version}: written by {by} version of arbtui; use that one to read it")
    try:
        event: Event = read(payload)
    except msgspec.DecodeError as error:
        raise UsageError(f"journal event {type_name} version {version}: {error}: the journal is damaged; restore a backup") from error
    return event
