"""Random events, and random sequences of them that talk about the same few orders, cycles and balances."""

from typing import cast, get_args

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from arbtui.journal.events import (
    CycleOpened,
    Event,
    EventsArchived,
    FillRecorded,
    JournalCreated,
    Mark,
    MarksTaken,
    OrderIntended,
    PlannedLeg,
    RowsRolledUp,
    RunStarted,
)
from arbtui.model.order import Fill

# A trillion of anything at a million each: the sums of a history stay below 10**20, which is as far as 28 digits give eight decimals.
_amounts = st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, allow_infinity=False)
_mark_prices = st.decimals(min_value=0, max_value=10**6, allow_nan=False, allow_infinity=False)
_times = st.integers(min_value=0, max_value=4_000_000_000_000)
_EVENTS = 60  #: of a history, at most
_few = st.sampled_from(["a", "b", "c"])
_numbers = st.floats(allow_nan=False, allow_infinity=False)
_marks = st.dictionaries(_few, st.builds(Mark, _mark_prices, _few, st.integers(min_value=0, max_value=9)))
_prices = st.dictionaries(_few, _mark_prices)
_reserved = st.lists(st.tuples(_few, _few, _amounts.map(abs)), max_size=3).map(tuple)

#: By field name: everything that refers to something else is drawn from a few names, so that events meet.
_FIELDS: dict[str, SearchStrategy[object]] = {
    **dict.fromkeys(
        (
            *("qty", "price", "cost", "fee", "filled_qty", "change", "sent", "received", "total", "ours", "theirs", "lot"),
            *("target", "before", "most_cost"),
        ),
        _amounts,
    ),
    **dict.fromkeys(("exchange", "asset", "trade_id", "cycle_id", "client_order_id", "breach_id", "run_id", "alert_id", "channel"), _few),
    **dict.fromkeys(("from_exchange", "to_exchange", "route", "symbol", "base", "quote", "fee_currency"), _few),
    **dict.fromkeys(("opened_ms", "closed_ms", "ts_event", "ts_init", "since_ms", "from_ms", "to_ms"), _times),
    **dict.fromkeys(("first", "last", "size"), st.integers(min_value=0, max_value=_EVENTS)),
    **dict.fromkeys(("leg", "attempt", "epoch", "exit_code", "snapshot_no", "seq", "attempts"), st.integers(min_value=0, max_value=9)),
    **dict.fromkeys(("update_id", "user_id"), st.integers(min_value=1, max_value=3)),
    **dict.fromkeys(("alert_ids", "closed"), st.lists(_few, max_size=3).map(tuple)),
    "minutes": _numbers,
    "transfer_id": _few,
    "seed": st.none() | st.integers(min_value=0, max_value=2**40),
    "origins": st.dictionaries(_few, _few),
    "edge_bps": _numbers,
    "value": _numbers,
    "old": st.none() | _numbers,
    "new": st.none() | _numbers,
    "reserved": _reserved,
    "settlement": st.lists(_few, max_size=2).map(tuple),
}


def _build(kind: type[object]) -> SearchStrategy[object]:
    fields = kind.__annotations__
    known = {name: _FIELDS[name] for name in fields if name in _FIELDS}
    if kind is CycleOpened:
        known["legs"] = st.lists(_build(PlannedLeg), max_size=2).map(tuple)
    if kind is MarksTaken:
        known["marks"] = _marks
    if kind is EventsArchived:
        known["before"] = st.text()
    if kind is FillRecorded:
        known["marks"] = _prices
    if "fill" in fields:
        known["fill"] = _build(Fill)
    return st.builds(kind, **known)


def any_event() -> SearchStrategy[Event]:
    """One event of any kind, with any content."""
    return cast(SearchStrategy[Event], st.one_of([_build(kind) for kind in get_args(Event)]))


def histories() -> SearchStrategy[list[Event]]:
    """A journal's events: what may be there once only (an order, a cycle, a run) is not there twice; no cycle opens after its orders.

    None is in an archive (tests/portfolio/test_archives.py), and rows that are rolled up are of events before.
    """
    return st.lists(any_event(), max_size=_EVENTS).map(_possible)


def _possible(events: list[Event]) -> list[Event]:
    seen: set[tuple[str, str]] = set()
    kept: list[Event] = []
    for event in events:
        match event:
            case JournalCreated() | EventsArchived():
                continue
            case RowsRolledUp(last=last):
                kept.append(RowsRolledUp(min(last, len(kept) + 1)))  # the first event of a journal says that it was created
                continue
            case RunStarted(run_id=name) | CycleOpened(cycle_id=name) | OrderIntended(client_order_id=name):
                key = (type(event).__name__, name)
                if key in seen:
                    continue
                seen.add(key)
        if isinstance(event, OrderIntended | FillRecorded):
            seen.add((CycleOpened.__name__, event.cycle_id))
        kept.append(event)
    return kept
