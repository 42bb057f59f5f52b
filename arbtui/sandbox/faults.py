"""Faults on the wire of one sandbox venue, scripted by count or for a time. The table is in docs/sandbox.md."""

import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Literal, get_args

import msgspec

from arbtui.model.clock import Clock
from arbtui.model.errors import UsageError
from arbtui.sandbox.book_corruptor import How
from arbtui.sandbox.doors import door_of
from arbtui.simulation.played_venue import played_venue

Part = Literal["order", "test", "cancel", "query", "account", "wallet", "public", "any"]
Stream = Literal["public", "private", "any"]


class WireFaultKind(StrEnum):
    """What goes wrong."""

    DROP = "drop"  #: the sockets are cut, now
    FREEZE = "freeze"  #: sockets stay open and nothing is sent on them: one symbol, or a whole stream
    GAP = "gap"  #: ``count`` updates of a symbol's ladder (or of any) are never sent
    AGAIN = "again"  #: updates of a book are sent twice
    SWAP = "swap"  #: an update of a book is sent after the one that follows it
    BAD_BOOK = "bad_book"  #: updates of books with invalid prices, of the kind ``how``
    PRICE = "price"  #: updates of books with every price ``factor`` times as high
    STUCK = "stuck"  #: the same update is repeated instead of new ones
    OLD_DEPTH = "old_depth"  #: REST depth answers are older than the stream, and no longer right, where a venue has such answers
    FLOOD = "flood"  #: each public update is sent ``factor`` times
    LAG = "lag"  #: one venue's public stream comes ``ms`` later, and ``growth_ms_per_s`` more each second; nothing else does
    DELAY = "delay"  #: answers and frames come ``ms`` later
    LATE = "late"  #: an order is executed ``ms`` after its arrival, and answered then
    ERROR_BEFORE = "error_before"  #: HTTP ``status`` (503) and HTML (or ``code``), nothing executed
    ERROR_AFTER = "error_after"  #: HTTP ``status`` (502) and HTML (or ``code``), executed
    REFUSE = "refuse"  #: answered with the venue's own error ``error`` and ``words``, HTTP ``status`` (400); nothing executed
    REFUSE_AFTER = "refuse_after"  #: the same, executed
    TIMEOUT = "timeout"  #: executed, never answered; the connection stays open
    RESET_BEFORE = "reset_before"  #: connection reset, nothing executed
    RESET_AFTER = "reset_after"  #: connection reset, executed
    HTML = "html"  #: executed, answered with a proxy's HTML page and status 200
    TRUNCATED = "truncated"  #: executed, answered with half of the JSON
    EMPTY = "empty"  #: executed, answered with nothing and status 200
    NULLS = "nulls"  #: executed, answered with the right names and no values
    DUPLICATE_ID = "duplicate_id"  #: an order is executed, and answered as one whose client id was used before
    DUPLICATE = "duplicate"  #: private events are sent twice
    REORDER = "reorder"  #: two private events are swapped
    LOSE = "lose"  #: private events are never sent
    RATE_LIMIT = "rate_limit"  #: 429 with Retry-After ``retry_after_s``
    BAN = "ban"  #: 418 with Retry-After: the rest of ``seconds``
    CLOCK_SKEW = "clock_skew"  #: the venue's clock runs ``ms`` ahead (behind when negative)
    HALT = "halt"  #: a symbol does not trade
    FLAG = "flag"  #: a symbol is flagged in the venue's list of markets: ``words``, one or several of its own flags, with commas
    RULES = "rules"  #: a symbol has other rules: ``tick``, ``lot_step``, ``min_cost``
    FEE_COIN = "fee_coin"  #: fees are taken in the venue's own coin while there is some, where it has one
    REVOKE = "revoke"  #: API keys are no longer valid
    SUBSCRIBE_ERROR = "subscribe_error"  #: a subscription is answered with an error frame, and nothing is subscribed
    SHUTDOWN = "shutdown"  #: the end is announced on the sockets, which are cut ``ms`` later, where a venue announces it
    CRASH = "crash"  #: the venue's port is closed for ``seconds``, then open again


_K = WireFaultKind
#: Kinds that last until they are removed when neither ``count`` nor ``seconds`` is given; the others happen once.
_LASTING = frozenset({_K.FREEZE, _K.STUCK, _K.FLOOD, _K.LAG, _K.DELAY, _K.CLOCK_SKEW, _K.HALT, _K.FLAG, _K.RULES, _K.FEE_COIN, _K.REVOKE})
#: Kinds that meet any request unless ``on`` is given.
_ANY_REQUEST = frozenset({_K.DELAY, _K.RATE_LIMIT, _K.BAN})
#: Kinds that need ``seconds``.
_TIMED = frozenset({_K.CRASH, _K.BAN})


class WireFault(msgspec.Struct, forbid_unknown_fields=True):
    """One fault as scripted. ``count`` is how many times it happens, ``seconds`` how long it lasts from now."""

    venue: str
    kind: WireFaultKind
    count: int | None = None
    seconds: float | None = None
    symbol: str | None = None  #: the venue's market code, such as KRW-BTC or BTCUSDT; None: all
    on: Part | None = None  #: which requests an HTTP fault meets; None: orders for those that touch execution, else any
    stream: Stream = "any"  #: which sockets a stream fault meets
    ms: int = 1000
    growth_ms_per_s: float | None = None  #: of a lag, since it was scripted; None: it does not grow
    how: How | None = None  #: what a bad book looks like; None: crossed
    factor: float | None = None  #: of prices, or of how many are sent; None: 10
    every: int | None = None  #: only every n-th that it would meet; None: all
    status: int | None = None
    code: int | None = None  #: of an ``error_``: the venue's own JSON with that code instead of a proxy's HTML, where its errors have codes
    error: str | None = None  #: a code or name of the venue's own errors
    words: str | None = None  #: its message
    retry_after_s: int = 1
    tick: str | None = None  #: price unit, in quote
    lot_step: str | None = None  #: in base
    min_cost: str | None = None  #: in quote
    since: float = 0.0  #: monotonic s; set when it is scripted
    until: float | None = None  #: likewise
    passed: int = 0  #: how many it would have met, including those that ``every`` skipped
    met: int = 0  #: how often it has happened so far; a DROP and a CRASH happen when they are scripted

    def check(self) -> None:
        """Check that the fault can be played.

        Raises:
            UsageError: an unknown venue, or a number out of range.
        """
        try:
            door = door_of(self.venue)
        except UsageError as error:
            raise UsageError(f"fault: {error}") from None
        if self.count is not None and self.seconds is not None:
            raise UsageError("fault: count or seconds, not both")
        if self.count is not None and not 1 <= self.count <= 1_000_000:
            raise UsageError(f"fault: count {self.count} is not from 1 to 1000000")
        if self.seconds is not None and not 0 < self.seconds <= 86_400:
            raise UsageError(f"fault: seconds {self.seconds} is not above 0 and at most 86400")
        if self.kind in _TIMED and self.seconds is None:
            raise UsageError(f"fault: {self.kind} needs seconds")
        if self.status is not None and not 400 <= self.status <= 599:
            raise UsageError(f"fault: status {self.status} is not from 400 to 599")
        if self.factor is not None and not 0 < self.factor <= 1000:
            raise UsageError(f"fault: factor {self.factor} is not above 0 and at most 1000")
        if self.growth_ms_per_s is not None and not 0 <= self.growth_ms_per_s <= 10_000:
            raise UsageError(f"fault: growth_ms_per_s {self.growth_ms_per_s} is not from 0 to 10000")
        if self.every is not None and self.every < 1:
            raise UsageError(f"fault: every {self.every} is not at least 1")
        if self.code is not None and not door.errors_have_codes:
            raise UsageError(f"fault: {self.venue}'s errors have no code")
        if self.kind in (_K.REFUSE, _K.REFUSE_AFTER, _K.SUBSCRIBE_ERROR):
            if not self.error:
                raise UsageError(f"fault: {self.kind} needs error, a code or name of the venue's own errors")
            if not re.fullmatch(door.error_pattern, self.error):
                raise UsageError(f"fault: error {self.error!r} is no code of {self.venue}'s, such as {door.error_example}")
        if self.kind is _K.SHUTDOWN and not door.announces_shutdown:
            raise UsageError(f"fault: {self.venue} announces no shutdown")
        if self.kind is not _K.CLOCK_SKEW and self.ms < 0:
            raise UsageError(f"fault: ms {self.ms} is below 0")
        if self.kind is _K.OLD_DEPTH and not door.answers_depth:
            raise UsageError(f"fault: {self.venue} has no depth answers that a stream goes on from")
        if self.kind is _K.FEE_COIN and played_venue(self.venue).fee_coin is None:
            raise UsageError(f"fault: {self.venue} takes no fees in its own coin")
        if self.kind is _K.FLAG and (self.symbol is None or not self.words or not set(self.words.split(",")) <= set(door.flags)):
            if not door.flags:
                raise UsageError(f"fault: {self.venue}'s list of markets has no flags")
            raise UsageError(f"fault: flag needs a symbol, and words of {', '.join(door.flags)}")
        rules = {name: value for name in ("tick", "lot_step", "min_cost") if (value := getattr(self, name)) is not None}
        if self.kind is _K.RULES and (self.symbol is None or not rules):
            raise UsageError("fault: rules needs a symbol, and at least one of tick, lot_step and min_cost")
        for name, value in rules.items():
            if not re.fullmatch(r"\d{1,12}(\.\d{1,8})?", value) or not float(value) > 0:
                raise UsageError(f"fault: {name} {value!r} is not a number above 0 with at most eight decimals")


def read_fault(raw: bytes) -> WireFault:
    """The fault that a JSON body describes.

    Raises:
        UsageError: not JSON, an unknown key or kind, or a value out of range; the message names it.
    """
    try:
        fault = msgspec.json.decode(raw, type=WireFault)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"fault: {error}{_choices(str(error))}") from None
    fault.until, fault.passed, fault.met = None, 0, 0
    fault.check()
    return fault


def _choices(message: str) -> str:
    """The valid values, which the decoder's message leaves out."""
    if "unknown field" in message:
        return f"; there are {', '.join(name for name in WireFault.__struct_fields__ if name not in ('until', 'passed', 'met'))}"
    known: Mapping[str, Iterable[str]] = {"kind": _K, "on": get_args(Part), "stream": get_args(Stream)}
    for key, words in known.items():
        if message.startswith("Invalid enum value") and message.endswith(f"`$.{key}`"):
            return f"; there are {', '.join(words)}"
    return ""


class WireFaults:
    """The faults of one venue that are pending or still last."""

    def __init__(self, clock: Clock) -> None:
        self.changed: Callable[[WireFault | None], None] = lambda _: None  #: called with a new fault, or None when all are removed
        self._clock = clock
        self._faults: list[WireFault] = []

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(self, fault: WireFault) -> None:
        """Script ``fault``, from now on.

        Raises:
            UsageError: it cannot be played.
        """
        fault.check()
        if fault.on is None:
            fault.on = "any" if fault.kind in _ANY_REQUEST else "order"
        fault.since = self._clock.monotonic()
        if fault.seconds is not None:
            fault.until = fault.since + fault.seconds
        elif fault.count is None and fault.kind not in _LASTING:
            fault.count = 1
        if fault.kind in (_K.DROP, _K.CRASH, _K.SHUTDOWN):  # these happen at once and are not pending
            fault.met += 1
        else:
            self._faults.append(fault)
        self.changed(fault)

    def clear(self) -> None:
        """Remove every fault."""
        self._faults.clear()
        self.changed(None)

    def standing(self) -> list[dict[str, Any]]:
        """The faults that are pending or still last, as JSON-able rows."""
        self._forget()
        now = self._clock.monotonic()
        rows = []
        for fault in self._faults:
            row = {
                name: value
                for name, value in msgspec.structs.asdict(fault).items()
                if value is not None and name not in ("since", "until", "passed")
            }
            if fault.until is not None:
                row["seconds_left"] = round(fault.until - now, 3)
            rows.append(row)
        return rows

    def find(
        self, kind: WireFaultKind, *, symbol: str | None = None, part: Part | None = None, stream: Stream | None = None
    ) -> WireFault | None:
        """The first active fault of ``kind`` that matches; it is not used up, and not counted as met."""
        if not self._faults:
            return None
        self._forget()
        for fault in self._faults:
            if (
                fault.kind is kind
                and (fault.symbol is None or fault.symbol == symbol)
                and (part is None or fault.on in ("any", part))
                and (stream is None or fault.stream in ("any", stream))
            ):
                return fault
        return None

    def lag_s(self) -> float:
        """How much later the public stream comes now, in seconds."""
        lag = self.find(_K.LAG)
        if lag is None:
            return 0.0
        return (lag.ms + (lag.growth_ms_per_s or 0.0) * (self._clock.monotonic() - lag.since)) / 1000

    def stops_order(self, symbol: str) -> bool:
        """Whether a scripted halt meets an order of ``symbol``. Changed rules are counted as met, too: they are in the market itself."""
        self.take(WireFaultKind.RULES, symbol=symbol)
        return self.take(WireFaultKind.HALT, symbol=symbol) is not None

    def take(
        self, kind: WireFaultKind, *, symbol: str | None = None, part: Part | None = None, stream: Stream | None = None
    ) -> WireFault | None:
        """As :meth:`find`, and the fault happens: ``met`` rises, and one of its ``count`` is used up."""
        fault = self.find(kind, symbol=symbol, part=part, stream=stream)
        if fault is not None:
            fault.passed += 1
            if fault.passed % (fault.every or 1):
                return None
            fault.met += 1
            if fault.count is not None:
                fault.count -= 1
                if fault.count == 0:
                    self._faults.remove(fault)
        return fault

    def _forget(self) -> None:
        now = self._clock.monotonic()
        self._faults = [fault for fault in self._faults if fault.until is None or fault.until > now]
