"""Replies to remote commands, for a phone: lines of 32 cells, from the same views that the console paints."""

import textwrap
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite, nan

from arbtui.model.counted import counted
from arbtui.portfolio.valuation import Pnl
from arbtui.views import HALT, BreachLine, CycleLine, GaugeView, HeaderView, LimitLine, RouteRow, StockRow
from arbtui.views.numbers import MISSING, age, amount, duration, figure, hours, price, quantity, signed

WIDTH = 32  #: cells of a monospaced line that a phone held upright shows without breaking it
LONGEST = 4_000  #: UTF-16 units of one message; Telegram takes 4,096 (Bot API, sendMessage)
_PARTS = 4  #: messages for one reply
_SHOWN = 0.005  #: of a limit, from which its use is told
ROUTES, FILLS, STOCKS, BREACHES, LIMITS = 10, 8, 8, 12, 12  #: how many of each one reply lists

HELP = {
    "status": "how it does",
    "routes": "[ASSET] best routes first",
    "fills": "last cycles",
    "pnl": "profit, with a picture",
    "stock": "[ASSET] emptiest first",
    "exposure": "what is open, limits",
    "health": "venues and machine",
    "breaches": "what waits for you",
    "ack": "ID you have seen it",
    "pause": "[SCOPE [WHY]] opens nothing new",
    "reduce": "[SCOPE [WHY]] only shrinks; asks for a code",
    "kill": "stops everything, at once",
}
"""What each command is for, in the order of the help."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply. ``is_table``: to be shown monospaced; ``picture``: a PNG, sent after the text."""

    text: str
    is_table: bool = True
    picture: bytes | None = None


TimeOf = Callable[[int], datetime]
"""The desk's time at a moment in ms."""


def state_lines(header: HeaderView, epoch: int, time_of: TimeOf) -> str:
    """``upbit-binance SIM: ARMED, epoch 0``, and why not in full; halted, also by whom, when and what is left; then each smaller halt."""
    doubt = f", NOT TRADING: {header.idle}" if header.idle else f", TOO SLOW: {header.slow}" if header.slow else ""
    lines = [f"{header.profile} {header.mode}: {header.state}{doubt if header.state == 'ARMED' else ''}, epoch {epoch}"]
    if header.halt_source:
        since = f" {_moment(time_of, header.halt_ts_ms)}" if header.halt_ts_ms else ""
        lines.append(f"halted by {header.halt_source}{since}{f': {header.halt_reason}' if header.halt_reason else ''}")
    for halt in header.scopes:
        who = f" since {_moment(time_of, halt.ts_ms)} by {halt.by} ({halt.source})" if not halt.is_doubt else ""
        lines.append(f"{halt.short}{who}: {halt.why}")
    return "\n".join([*lines, *([header.halt_detail] if header.halt_detail else [])])


def status(header: HeaderView, epoch: int, time_of: TimeOf, waiting: int, ignored: int) -> str:
    """The answer to ``/status``. ``waiting``: alerts not sent yet; ``ignored``: updates that were not a command of an allowed user."""
    rate = f"{header.rate:,.2f} {header.rate_pair}" if header.rate else f"no {header.rate_pair} rate"
    return _lines(
        _wrapped(state_lines(header, epoch, time_of)),
        _moment(time_of, header.now_ms),
        _row("up", duration(header.session_s)),
        *(_row(venue.name, f"{venue.status} {age(venue.age_ms)}") for venue in header.exchanges),
        _row("rate", rate) if header.rate_pair else "",
        _row("rate doubted", header.rate_doubt) if header.rate_doubt else "",
        _row("cycles open", f"{header.open_cycles:,}"),
        _row("orders in flight", f"{header.orders_in_flight:,}"),
        _row("unhedged", f"{header.unhedged:,.2f} {header.pnl_currency}"),
        _row("routes", f"{header.routes:,}"),
        _row("opportunities", f"{header.opportunities:,}"),
        _row("breaches open", f"{header.breaches_open:,}"),
        *_pnl_rows(header),
        _row("alerts waiting", f"{waiting:,}"),
        _row("messages ignored", f"{ignored:,}"),
    )


def routes(rows: Sequence[RouteRow], asked: str, header: HeaderView, time_of: TimeOf) -> str:
    """The answer to ``/routes``: of ``rows``, up to date, the best net edges first. ``asked``: a symbol or a route; empty: all."""
    if not rows:
        return _lines(f"no route of {asked}" if asked else "no route is listed")
    states = Counter(row.state for row in rows)
    best = sorted(rows, key=lambda row: row.net_bps if isfinite(row.net_bps) else -1e9, reverse=True)[:ROUTES]
    told = []
    for row in best:
        told += [
            _row(row.symbol, ">".join(row.venues)),
            _row(f" net {_bps(row.net_bps)}", row.state),
            f" gross {_bps(row.edge_bps)}, fills {row.fills:,}",
        ]
    return _lines(
        _row(f"routes {len(rows):,}", asked),
        _moment(time_of, header.now_ms),
        *told,
        f"and {len(rows) - len(best):,} more" if len(rows) > len(best) else "",
        _wrapped(", ".join(f"{name or 'unknown'} {count:,}" for name, count in states.most_common(6))),
    )


def fills(cycles: Sequence[CycleLine], header: HeaderView, time_of: TimeOf) -> str:
    """The answer to ``/fills``: the newest of ``cycles``, which come newest first."""
    if not cycles:
        return "no cycle yet"
    told = []
    for cycle in cycles[:FILLS]:
        is_open = cycle.state in ("OPEN", "TRANSIT")
        told.append(_row(f"{time_of(cycle.ts_ms):%H:%M:%S} {cycle.symbol}", cycle.state))
        told += [f" {one.side} {one.exchange} {quantity(one.qty)}\n{f'at {price(one.price)} {one.quote}':>{WIDTH}}" for one in cycle.trades]
        if not cycle.trades:
            told.append(_wrapped(f"nothing filled: {cycle.reason or 'no reason given'}" if not is_open else "nothing filled yet", " "))
        told.append(_row(" result", MISSING if is_open else f"{signed(cycle.pnl)} {header.pnl_currency}"))
    return _lines(_row("last cycles", f"{time_of(header.now_ms):%Z}"), *told)


def pnl(header: HeaderView, run: Pnl, day: Pnl, epoch: int, time_of: TimeOf) -> str:
    """The answer to ``/pnl``: how the desk's day and the run split, in the PnL currency."""
    parts = [
        ("trading", day.trading, run.trading),
        ("fees", -day.fees, -run.fees),
        ("fx open", day.fx_open, run.fx_open),
        ("fx stock", day.fx_stock, run.fx_stock),
        ("coins held", day.inventory, run.inventory),
        ("rotation", day.rotation, run.rotation),
        ("total", day.total, run.total),
    ]
    head = f"{header.pnl_currency:<10}{'today':>11}{'this run':>11}"
    without = [f"without {', '.join(run.unpriced)}: no price"] if run.unpriced else []
    return _lines(
        _wrapped(state_lines(header, epoch, time_of)),
        _moment(time_of, header.now_ms),
        head,
        *(f"{name:<10}{signed(float(today)):>11}{signed(float(whole)):>11}" for name, today, whole in parts),
        *(_wrapped(line) for line in without),
    )


def stock(rows: Sequence[StockRow], asked: str, header: HeaderView, time_of: TimeOf) -> str:
    """The answer to ``/stock``: of ``rows``, up to date, the emptiest first. ``asked``: the asset asked for; empty: all."""
    if not rows:
        return _lines(f"no {asked} is held, and none should be" if asked else "no stock yet")
    first = sorted(rows, key=lambda row: (row.share if isfinite(row.share) else 1e9, row.asset))[:STOCKS]
    told = []
    for row in first:
        lasts = f"{row.word} lasts {hours(row.hours)}" if isfinite(row.hours) else row.word
        told.append(_row(row.asset, lasts))
        for cell in row.cells:
            share = f"{cell.share:.0%}" if isfinite(cell.share) else "no target"
            told.append(_row(f" {cell.exchange} {quantity(cell.total)}", share))
        told.append(_row(" worth", f"{row.value:,.0f} {header.pnl_currency}" if isfinite(row.value) else "no price"))
    left = len(rows) - len(first)
    return _lines(
        _row(counted(len(rows), "asset"), asked), _moment(time_of, header.now_ms), *told, f"and {left:,} more: /stock ASSET" if left else ""
    )


def exposure(header: HeaderView, limits: Sequence[LimitLine], positions: Sequence[BreachLine], time_of: TimeOf) -> str:
    """The answer to ``/exposure``. ``positions``: breaches of what cycles left one-sided."""
    used = sorted((line for line in limits if line.used is not None and line.share >= _SHOWN), key=lambda line: -line.share)
    told = []
    for line in used[:LIMITS]:
        share = f"{line.share:.0%}" if isfinite(line.share) else "?"
        told += [_row(line.scope, share), f"{f'{figure(line.used or 0.0)} of {amount(line.holds, line.unit)}':>{WIDTH}}"]
    for one in header.open_fx:
        value = f"{signed(one.value)} {one.currency}" if isfinite(one.value) else "no price"
        told += [_row(f"open {one.asset}", value), _wrapped(f"{one.state}, for {duration(one.age_s)}", " ")]
    return _lines(
        _row("unhedged", f"{header.unhedged:,.2f} {header.pnl_currency}"),
        _moment(time_of, header.now_ms),
        _row("cycles open", f"{header.open_cycles:,}"),
        _row("orders in flight", f"{header.orders_in_flight:,}"),
        _row("positions left over", f"{len(positions):,}"),
        *(_wrapped(f"{one.scope}: {one.detail}", " ") for one in positions[:BREACHES]),
        *told,
    )


def health(header: HeaderView, gauges: GaugeView, late: Sequence[str], waiting: int, ignored: int, time_of: TimeOf) -> str:
    """The answer to ``/health``. ``late``: what channels have not taken, in words."""
    told = []
    states = {venue.name: venue for venue in gauges.venues}
    for venue in header.exchanges:
        gauge = states.get(venue.name)
        told.append(_row(venue.name, gauge.health if gauge is not None else venue.status))
        told.append(_row(" last message", age(venue.age_ms)))
        told.append(_row(" order answer", f"{venue.latency_ms:,.0f} ms" if venue.latency_ms else MISSING))
        if gauge is not None and gauge.why:
            told.append(_wrapped(gauge.why, " "))
        if gauge is not None and gauge.limits:
            most = gauge.limits[0]
            told.append(_row(f" limit {most.name}", f"{most.used / most.hard:.0%}" if most.hard else MISSING))
    return _lines(
        _wrapped(f"NOT TRADING: {header.idle}") if header.idle else "",
        _moment(time_of, header.now_ms),
        *told,
        _row("loop lag p99", f"{gauges.lag_p99_ms:,.1f} ms"),
        _row("loop lag max", f"{gauges.lag_max_ms:,.1f} ms"),
        _row("journal p99", f"{gauges.journal_p99_ms:,.1f} ms"),
        _row("cpu", f"{gauges.cpu_percent:.0f} %"),
        _row("memory", f"{gauges.rss_mb:,.0f} MB"),
        _row("messages", f"{gauges.messages_per_s:,.0f} /s"),
        _row("guardian", "watches" if header.is_watched else "NONE") if header.mode == "LIVE" else "",
        _wrapped(f"accounts: {gauges.accounts}") if gauges.accounts else "",
        _row("alerts waiting", f"{waiting:,}"),
        *(_wrapped(line, " ") for line in late),
        _row("messages ignored", f"{ignored:,}"),
    )


def breaches(lines: Sequence[BreachLine], time_of: TimeOf, header: HeaderView) -> str:
    """The answer to ``/breaches``: those that nobody has acknowledged, halts first."""
    open_ones = [line for line in lines if not line.acknowledged]
    if not open_ones:
        return _lines("nothing waits for you", _moment(time_of, header.now_ms))
    told = []
    for line in open_ones[:BREACHES]:
        at = f"{time_of(line.ts_ms):%m-%d %H:%M:%S}" if line.ts_ms else ""
        told += [_row(f"{line.severity} {line.kind}", at), _wrapped(f"{line.scope}: {line.detail}", " ")]
        told.append(_wrapped("ended at the console only" if line.kind == HALT else f"id {line.id}", " "))
    left = len(open_ones) - BREACHES
    return _lines(_row("open", f"{len(open_ones):,}"), _moment(time_of, header.now_ms), *told, f"and {left:,} more" if left > 0 else "")


def killed(state: str, *, closed_now: bool) -> str:
    """The answer to ``/kill``; ``state``: as :func:`state_lines` has it."""
    first = "KILLED: no further order is sent." if closed_now else "It was halted already."
    return f"{first}\n{state}"


def help_text(allowed: Collection[str]) -> str:
    """What may be asked, by somebody who may use ``allowed``."""
    told = [f"/{name} {what}" for name, what in HELP.items() if name in allowed]
    return "\n".join([*told, "Re-arming and limits are changed at the console only."])


def cut(text: str, longest: int = LONGEST) -> list[str]:
    """``text`` as messages of at most ``longest`` UTF-16 units each, cut between lines; the end of a very long one is left out."""
    parts, part = list[str](), ""
    for whole in text.strip("\n").split("\n"):
        for line in _pieces(whole, longest):
            if part and _units(part) + 1 + _units(line) > longest:
                parts.append(part)
                part = line
            else:
                part = f"{part}\n{line}" if part else line
    parts = [one for one in (*parts, part) if one.strip()]  # Telegram takes no message of blanks
    if len(parts) > _PARTS:
        parts = [*parts[: _PARTS - 1], f"and {counted(len(parts) - _PARTS + 1, 'message')} more, left out: see the console"]
    return parts


def _pieces(line: str, longest: int) -> list[str]:
    """``line`` in one piece, or in several where it alone is longer than a message."""
    step = longest // 2  # a letter is at most two units
    return [line] if _units(line) <= longest else [line[start : start + step] for start in range(0, len(line), step)]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _pnl_rows(header: HeaderView) -> list[str]:
    currency = header.pnl_currency
    return [
        _row("PnL today", f"{signed(header.pnl_day)} {currency}"),
        _row(" trading", f"{signed(header.trading_day)} {currency}"),
        _row("PnL this run", f"{signed(header.pnl_session)} {currency}"),
        _row(" trading", f"{signed(header.trading_session)} {currency}"),
    ]


def _bps(value: float = nan) -> str:
    return f"{signed(value, 1)} bps" if isfinite(value) else f"{MISSING} bps"


def _moment(time_of: TimeOf, ts_ms: int) -> str:
    return f"{time_of(ts_ms):%Y-%m-%d %H:%M:%S %Z}"


def _row(label: str, value: str) -> str:
    """A label at the left and its value at the right; on two lines where one is too short."""
    if len(label) + 1 + len(value) <= WIDTH:
        return f"{label}{value:>{WIDTH - len(label)}}".rstrip()
    return f"{label}\n{value:>{WIDTH}}"


def _wrapped(text: str, indent: str = "") -> str:
    """``text`` in lines of :data:`WIDTH`; what comes after the first one of each of its own is moved in."""
    return "\n".join(
        textwrap.fill(line, WIDTH, initial_indent=indent, subsequent_indent=f"{indent} ", break_on_hyphens=False)
        for line in text.split("\n")
        if line
    )


def _lines(*lines: str) -> str:
    return "\n".join(line for line in lines if line)
