"""Metrics for Prometheus: every name begins ``arbtui_``, units are base units, and a fault that was never seen is there as 0.

What each means is the read model's to say (:class:`arbtui.views.measures.Measures`); here it gets its name, type and labels. Labels hold
venues, settlement currencies and words of fixed lists; no id, symbol, route or key, so that a thousand symbols have as many series as ten.

Names and types follow the conventions at https://prometheus.io/docs/practices/naming/ .
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from time import process_time
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from arbtui.exchanges.health import Health
from arbtui.execution.executor import ENDINGS
from arbtui.model.book import BookState
from arbtui.model.histogram import Histogram
from arbtui.model.order import OrderState
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import Depth
from arbtui.portfolio.trading_state import TradingState
from arbtui.portfolio.valuation import Pnl
from arbtui.risk.breach import Severity
from arbtui.views.live import route_state
from arbtui.views.measures import Measures, StockMeasures, VenueMeasures

#: Upper bounds in seconds. Decisions and lags are counted down to a tenth of a millisecond, answers and commits from a millisecond on.
_FINE_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_COARSE_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0)
_ENDS = tuple(state for state in OrderState if state.is_final)
_ROUTE_STATES = ("READY", *(route_state(reason) for reason in Reason))
_LEVELS = ("ok", "LOW", "DRY", "none")
_HOUR_S = 3600.0

Labels = tuple[str, ...]
Key = TypeVar("Key", bound=Labels)
Word = TypeVar("Word", bound=str)


def families(measures: Measures) -> Iterator[Metric]:
    """Every family of metrics, one after the other: each is made when it is asked for."""
    for topic in _TOPICS:
        yield from topic(measures)


def _run(m: Measures) -> Iterator[Metric]:
    about = (m.version, m.header.profile, m.header.mode.lower())
    yield _gauges("arbtui_build_info", "Always 1; what runs.", ("version", "profile", "mode"), {about: 1.0})
    yield _gauge("arbtui_run_start_time_seconds", "When the run began, seconds since the epoch.", m.run.started_ms / 1000)
    yield _counter("arbtui_process_cpu_seconds", "CPU time of the process, user and system.", process_time())
    yield _gauge("arbtui_process_resident_memory_bytes", "Resident memory of the process.", m.gauges.rss_mb * 1e6)
    yield _gauge("arbtui_process_open_fds", "Open file descriptors, counted every half minute.", m.gauges.fds)
    yield _gauge("arbtui_process_threads", "Threads of the interpreter.", threading.active_count())


def _state(m: Measures) -> Iterator[Metric]:
    header = m.header
    states = {(state.value,): float(state == header.state) for state in TradingState}
    yield _gauges("arbtui_trading_state", "1 for the state that holds now.", ("state",), states)
    yield _gauge("arbtui_kill_latched", "1 while a kill stands, which only a person takes away.", float(m.kill_latched))
    yield _counter("arbtui_kills", "Kills asked for since the process began, repeated ones and drills too.", header.kills)
    drill = m.run.drill
    yield _gauge(
        "arbtui_kill_drill_timestamp_seconds", "When a kill was rehearsed last, seconds since the epoch; 0: never.", drill.ts_ms / 1000
    )
    yield _gauge("arbtui_kill_drill_gate_seconds", "How long the gate took to close in that rehearsal; 0: none.", drill.gate_ms / 1000)
    yield _gauges("arbtui_scoped_halts", "Halts of a venue, symbol, route, or everything short of a kill.", ("depth",), _by(Depth, m.halts))
    yield _gauge(
        "arbtui_idle", "1 while it is armed and something other than prices keeps it from opening anything.", float(bool(header.idle))
    )
    yield _gauge("arbtui_guardian_watching", "1 while a guardian watches; looked at in mode live only, else 1.", float(header.is_watched))
    yield _counters("arbtui_breaches", "Breaches recorded in this run.", ("severity",), _by(Severity, m.breaches))
    yield _gauges("arbtui_breaches_unacknowledged", "Breaches that no person has seen yet.", ("severity",), _by(Severity, m.unacknowledged))
    used = {(line.scope,): _share(line.used, line.holds, line.higher_is_stricter) for line in m.limits if line.used is not None}
    yield _gauges(
        "arbtui_limit_used_ratio",
        "How much of a limit is used; 1: it is reached. The most of any where it holds for several. NaN: not known.",
        ("limit",),
        used,
    )


def _trading(m: Measures) -> Iterator[Metric]:
    yield _gauges(
        "arbtui_routes", "Routes by state: READY, IDLE, OPEN, or the first reason why not.", ("state",), _by(_ROUTE_STATES, m.routes)
    )
    yield _counter("arbtui_route_evaluations", "Times that a route was evaluated.", m.evaluations)
    yield _counter("arbtui_opportunities", "Gaps that were seen, each once however long it lasted, taken or not.", m.gaps)
    yield _gauge(
        "arbtui_net_edge_best_ratio", "Best net edge of a route whose prices can be believed; NaN: there is none.", m.best_edge_bps / 1e4
    )
    yield _gauge("arbtui_net_edge_median_ratio", "Median net edge of those routes.", m.median_edge_bps / 1e4)
    yield _counter("arbtui_cycles_opened", "Cycles opened in this run.", m.opened)
    ended = {(state.value.lower(),): float(m.cycles.get(state, 0)) for state in ENDINGS}
    yield _counters("arbtui_cycles", "Cycles that ended in this run, by how.", ("end",), ended)
    yield _gauge("arbtui_cycles_open", "Cycles that are open.", m.header.open_cycles)
    denied = {(reason.tier, reason.value): float(m.denials.get(reason, 0)) for reason in Reason}
    yield _counters(
        "arbtui_denials",
        "Opportunities and orders that were refused, by reason and by the tier that it belongs to.",
        ("tier", "reason"),
        denied,
    )
    held = {(reason.tier, reason.value): m.held_hour_s.get(reason.value, 0.0) for reason in Reason}
    yield _gauges(
        "arbtui_gap_held_last_hour_seconds", "For how long in the last hour each reason kept us from open gaps.", ("tier", "reason"), held
    )


def _money(m: Measures) -> Iterator[Metric]:
    currency = m.header.pnl_currency
    one = ("currency",)
    yield _gauges("arbtui_unhedged_value", "Worst-case open exposure, at live marks.", one, {(currency,): m.header.unhedged})
    yield _gauge("arbtui_residual_positions", "Positions that cycles have left, not settled yet.", m.positions)
    yield _gauges("arbtui_residual_value", "Their value; +Inf where one has no mark.", one, {(currency,): m.positions_value})
    spans = {"run": m.pnl_run, "day": m.pnl_day}
    yield _gauges(
        "arbtui_pnl", "Profit and loss at live marks, of the run and of the desk's day.", ("currency", "span"),
        {(currency, span): float(pnl.total) for span, pnl in spans.items()},
    )  # fmt: skip
    yield _gauges(
        "arbtui_pnl_part", "The parts that arbtui_pnl is the sum of; fees are negative.", ("currency", "span", "part"),
        {(currency, span, part): value for span, pnl in spans.items() for part, value in _parts(pnl).items()},
    )  # fmt: skip
    two = ("asset", "currency")
    open_fx = {(fx.asset, fx.currency): fx for fx in m.header.open_fx}
    yield _gauges(
        "arbtui_open_fx_value",
        "What cycles have left open of a settlement currency, signed.",
        two,
        {key: fx.value for key, fx in open_fx.items()},
    )
    yield _gauges("arbtui_open_fx_limit_value", "Beyond which no cycle may add to it.", two, {key: fx.limit for key, fx in open_fx.items()})
    yield _gauges(
        "arbtui_open_fx_age_seconds", "Since it left zero or changed its sign.", two, {key: fx.age_s for key, fx in open_fx.items()}
    )
    places = {(stock.name, asset): amount for stock in m.stock for asset, amount in stock.cash.items()}
    yield _gauges("arbtui_cash", "Settlement currency held, in its own units.", ("exchange", "asset"), places)
    levels = {(stock.name, word): float(stock.levels.get(word, 0)) for stock in m.stock for word in _LEVELS}
    yield _gauges(
        "arbtui_stock_assets", "Assets by how full their stock is: ok, LOW, DRY, or none without a target.", ("exchange", "level"), levels
    )
    yield _of_stock(
        m, "arbtui_stock_least_ratio", "Share of its target of the emptiest stock; NaN without targets.", lambda one: one.least_share
    )
    yield _of_stock(
        m,
        "arbtui_stock_runway_seconds",
        "Until the first stock is dry at its net flow; +Inf: none runs dry.",
        lambda one: one.least_hours * _HOUR_S,
    )


def _venues(m: Measures) -> Iterator[Metric]:
    shown = {exchange.name.lower(): exchange for exchange in m.header.exchanges}
    health = {gauge.name.lower(): gauge.health for gauge in m.gauges.venues}
    states = {(one.name, state.value): float(health.get(one.name) == state) for one in m.venues for state in Health}
    yield _gauges("arbtui_venue_health", "1 for the venue's health now.", ("exchange", "health"), states)
    yield _of_venue(
        m, "arbtui_venue_message_age_seconds", "Since its last message; +Inf before the first.", lambda one: shown[one.name].age_ms / 1000
    )
    yield _of_venue(m, "arbtui_venue_clock_skew_seconds", "How far its clock is from ours.", lambda one: one.skew_ms / 1000)
    yield _of_venue(
        m, "arbtui_stream_excess_delay_seconds", "How much later than usual its stream comes.", lambda one: one.excess_delay_ms / 1000
    )
    kinds = {(one.name, kind): float(count) for one in m.venues for kind, count in _messages(one).items()}
    yield _counters("arbtui_messages", "Messages of public streams: used, unused by type, malformed.", ("exchange", "kind"), kinds)
    yield _total_of_venue(m, "arbtui_book_gaps", "Updates found missing.", lambda one: one.gaps)
    yield _total_of_venue(m, "arbtui_book_resyncs", "Books brought back after a gap.", lambda one: one.resyncs)
    yield _total_of_venue(m, "arbtui_connection_failures", "Connections and requests for books that failed.", lambda one: one.failures)
    books = {(one.name, state.value): float(one.books.get(state, 0)) for one in m.venues for state in BookState}
    yield _gauges("arbtui_books", "Order books by state.", ("exchange", "state"), books)
    limits = {(gauge.name.lower(), left.name): left for gauge in m.gauges.venues for left in gauge.limits}
    two = ("exchange", "limit")
    used = {key: left.used / left.hard for key, left in limits.items()}
    yield _gauges("arbtui_rate_limit_used_ratio", "How much of a venue's rate limit is used; over 1 where others use it too.", two, used)
    bans = {key: left.banned_s for key, left in limits.items()}
    yield _gauges("arbtui_rate_limit_banned_seconds", "Until the venue takes requests of that limit again; 0: it does.", two, bans)
    pairs = {(rate.exchange, rate.pair): rate for rate in m.rates}
    two = ("exchange", "pair")
    yield _gauges(
        "arbtui_exchange_rate",
        "Mid of a rate between settlement currencies; NaN: none.",
        two,
        {key: rate.mid for key, rate in pairs.items()},
    )
    yield _gauges(
        "arbtui_exchange_rate_age_seconds", "Age of its book; +Inf before the first.", two, {key: rate.age_s for key, rate in pairs.items()}
    )
    doubts = {key: float(rate.doubted) for key, rate in pairs.items()}
    yield _gauges("arbtui_exchange_rate_doubted", "1 while coins or other venues contradict it.", two, doubts)


def _orders(m: Measures) -> Iterator[Metric]:
    ends = {(one.name, state.value.lower()): float(one.orders.get(state, 0)) for one in m.venues for state in _ENDS}
    yield _counters("arbtui_orders", "Orders that have ended, by how.", ("exchange", "outcome"), ends)
    yield _total_of_venue(
        m, "arbtui_orders_unanswered", "Orders that were sent and not usably answered; they are looked up.", lambda one: one.lost
    )
    yield _of_venue(m, "arbtui_orders_unknown", "Orders of unknown fate, now.", lambda one: one.unknown)
    yield _of_venue(
        m, "arbtui_orders_in_flight", "Orders that are not answered yet, those of unknown fate among them.", lambda one: one.in_flight
    )
    yield _total_of_venue(m, "arbtui_fills", "Fills booked.", lambda one: one.fills)
    yield _counter("arbtui_late_fills", "Fills told after their order or cycle had ended.", m.late_fills)
    yield _of_venue(m, "arbtui_balances_disputed", "Balances on which the venue and the journal disagree.", lambda one: one.disputes)
    fine = float(m.gauges.accounts_fine)
    yield _gauge(
        "arbtui_accounts_fine", "1 while every comparison with the venues' accounts is answered in time and found no difference.", fine
    )
    answers = {(one.name,): one.answers for one in m.venues}
    yield _histograms(
        "arbtui_order_acknowledgement_seconds", "From an order's leaving to the venue's answer.", ("exchange",), answers, _COARSE_S
    )


def _machine(m: Measures) -> Iterator[Metric]:
    yield _counter("arbtui_updates", "Messages that were put through the decider.", m.run.updates)
    yield _histograms(
        "arbtui_decision_seconds", "From a batch's arrival to the end of the decision on it.", (), {(): m.run.decisions}, _FINE_S
    )
    old = {(): m.run.staleness}
    yield _histograms("arbtui_update_staleness_seconds", "From a message's being due to the end of the decision on it.", (), old, _FINE_S)
    yield _histograms("arbtui_loop_lag_seconds", "How late the event loop is, every 10 ms.", (), {(): m.run.lags}, _FINE_S)
    yield _histograms("arbtui_journal_commit_seconds", "From an event's recording until it is durable.", (), {(): m.commits}, _COARSE_S)
    yield _counter("arbtui_journal_events", "Events recorded since the journal was opened.", m.events)
    yield _gauge("arbtui_journal_queue", "Transactions that wait for the disk.", m.gauges.journal_queue)
    yield _gauge("arbtui_journal_failed", "1 once a commit has failed: the gate is closed for good.", float(m.journal_failed))
    yield _gauge("arbtui_journal_free_disk_bytes", "Free where the journal is; NaN before it was measured.", m.free_disk_mb * 1e6)
    yield _gauge("arbtui_snapshot_age_seconds", "Since the last snapshot of the state; 0 before the first.", m.gauges.snapshot_age_s)
    outbox = m.run.outbox
    yield _gauge("arbtui_alert_channels", "Channels that the engine itself sends alerts to.", outbox.channels)
    yield _gauge("arbtui_alerts_waiting", "Alerts that have not reached every channel.", outbox.waiting)
    yield _gauge("arbtui_alerts_overdue", "Of those, how many a channel should have taken a while ago.", outbox.overdue)
    yield _gauge("arbtui_alert_oldest_overdue_seconds", "Age of the oldest of these; 0: none.", outbox.oldest_s)


_TOPICS: Sequence[Callable[[Measures], Iterator[Metric]]] = (_run, _state, _trading, _money, _venues, _orders, _machine)


def _gauge(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_, value=value)


def _counter(name: str, help_: str, value: float) -> Metric:
    """``name`` without ``_total``, which counters end with."""
    return CounterMetricFamily(name, help_, value=value)


def _gauges(name: str, help_: str, labels: Labels, values: Mapping[Key, float]) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _counters(name: str, help_: str, labels: Labels, values: Mapping[Key, float]) -> Metric:
    family = CounterMetricFamily(name, help_, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _histograms(name: str, help_: str, labels: Labels, values: Mapping[Key, Histogram], bounds_s: Sequence[float]) -> Metric:
    """Histograms of milliseconds, told in seconds."""
    family = HistogramMetricFamily(name, help_, labels=labels)
    for key, histogram in values.items():
        counts = histogram.at_most([bound * 1000 for bound in bounds_s])
        buckets = [(f"{bound}", count) for bound, count in zip(bounds_s, counts, strict=True)]
        family.add_metric(key, [*buckets, ("+Inf", histogram.count)], histogram.total_ms / 1000)
    return family


def _of_venue(m: Measures, name: str, help_: str, read: Callable[[VenueMeasures], float]) -> Metric:
    return _gauges(name, help_, ("exchange",), {(one.name,): read(one) for one in m.venues})


def _total_of_venue(m: Measures, name: str, help_: str, read: Callable[[VenueMeasures], float]) -> Metric:
    return _counters(name, help_, ("exchange",), {(one.name,): read(one) for one in m.venues})


def _of_stock(m: Measures, name: str, help_: str, read: Callable[[StockMeasures], float]) -> Metric:
    return _gauges(name, help_, ("exchange",), {(one.name,): read(one) for one in m.stock})


def _by(words: Iterable[Word], counts: Mapping[Word, int]) -> dict[Labels, float]:
    """A value for each of ``words``, 0 where nothing was counted."""
    return {(str(word),): float(counts.get(word, 0)) for word in words}


def _messages(venue: VenueMeasures) -> dict[str, int]:
    return {"used": venue.decoded, "unused": venue.unused, "malformed": venue.malformed}


def _parts(pnl: Pnl) -> dict[str, float]:
    return {
        "trading": float(pnl.trading),
        "fees": -float(pnl.fees),
        "fx_open": float(pnl.fx_open),
        "fx_stock": float(pnl.fx_stock),
        "inventory": float(pnl.inventory),
        "rotation": float(pnl.rotation),
    }


def _share(used: float, holds: float, higher_is_stricter: bool) -> float:
    """How much of a limit is used: of one that must not be fallen below, how much of what there is must stay."""
    part, whole = (holds, used) if higher_is_stricter else (used, holds)
    if whole == 0.0:
        return 0.0 if part == 0.0 else float("inf")
    return part / whole
