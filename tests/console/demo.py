"""A lively read model without an engine: what the console's tests and pictures run on. Seeded; time is told to it."""

import argparse
import asyncio
import math
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache

from arbtui.console.app import ConsoleApp
from arbtui.console.config import ConsoleConfig, Ground, PaletteName
from arbtui.exchanges.rate_limit import LimitLeft
from arbtui.model.scoped_halts import Depth, ScopedHalt
from arbtui.portfolio.operator_events import Transfer
from arbtui.views import (
    HALT,
    BreachLine,
    CapacityView,
    CycleDetail,
    CycleLine,
    DecisionLine,
    DenialLine,
    DrainedStock,
    ExchangeView,
    FactorView,
    GaugeView,
    HeaderView,
    HealthView,
    HeldTime,
    Ladder,
    Level,
    LimitLine,
    LogLine,
    NoticeLine,
    OpenFxView,
    OrderLine,
    RouteDetail,
    RouteRow,
    SettlementWay,
    SizePoint,
    SlippageView,
    Step,
    StockCell,
    StockRow,
    StockWay,
    TradeLine,
    VenueGauge,
)

START_MS = 1_767_258_845_000  # 2026-01-01T09:14:05Z
PRICES = {
    "BTC": 64_231.5, "ETH": 3_471.2, "XRP": 0.5156, "SOL": 145.44, "DOGE": 0.1023, "ADA": 0.4471, "AVAX": 27.31, "DOT": 5.912,
    "LINK": 13.87, "TRX": 0.1204, "NEAR": 4.615, "SHIB": 0.00001712, "APT": 8.44, "ARB": 0.812, "ATOM": 6.77, "SUI": 1.093, "SEI": 0.3718,
    "STX": 1.442, "SAND": 0.3105, "HBAR": 0.0759,
}  # fmt: skip
LIMITS = (
    LimitLine("global.max_unhedged", "USDT", False, 2_000.0, None, 2_000.0, 1_650.5),
    LimitLine("global.max_loss_day", "USDT", False, 1_000.0, 50.0, 50.0, 3.2, "ann"),
    LimitLine("exchange.max_in_flight_orders", "", False, 50.0, None, 50.0, 7.0),
    LimitLine("global.min_free_disk_mb", "MB", True, 100.0, None, 100.0, 82_147.0),
    LimitLine("route.max_edge_bps", "bps", False, 200.0, None, 200.0, None),
    LimitLine("symbol.XRP.order_value", "USDT", False, 100.0, 40.0, 40.0, None, "ann"),
)
DENIALS = (
    DenialLine("COOLDOWN", HeldTime(12.4, 9), HeldTime(312.0, 204), HeldTime(4_102.0, 2_731)),
    DenialLine("NO_STOCK", HeldTime(0.0, 0), HeldTime(88.1, 12), HeldTime(902.5, 87)),
    DenialLine("RATE_LIMITED", HeldTime(0.0, 0), HeldTime(0.0, 0), HeldTime(1.2, 4)),
)
NOTICES = (
    NoticeLine(
        "upbit:7", "upbit", ("delisting",), ("XRP",), "엑스알피(XRP) 거래지원 종료 안내 (01/01 21:00)", "https://venue.example/notice/7",
        START_MS - 60_000, START_MS + 10_000_000, None, 6_399.0, "XRP HALTED",
        ("XRP REDUCING at 2026-01-01T09:13:05.000Z",), ("XRP REDUCING",),
    ),
    NoticeLine(
        "binance:a1", "binance", ("wallet",), ("SOL", "ETH"), "Wallet Maintenance for Solana Network (SOL) - 2026-01-01", "",
        START_MS - 3_600_000, START_MS, None, None, "", ("binance:SOL gated at 2026-01-01T08:14:05.000Z",), ("binance:SOL gated",),
        "SOL: withdrawals suspended",
    ),
    NoticeLine(
        "upbit:9", "upbit", ("listing",), ("MON",), "모나드(MON) 신규 거래지원 안내 (KRW 마켓)", "", START_MS, None, None, None, "", (), (),
    ),
)  # fmt: skip
HEALTH = HealthView(
    0.68,
    [
        *(FactorView(name, value, 1.0) for name, value in (("spread", 0.94), ("volume", 0.99), ("latency", 0.97), ("flow", 0.91))),
        *(FactorView("survival", 0.83, 1.0), FactorView("realised", math.nan, 1.0), FactorView("runway", 1.0, 2.0)),
    ],
    142.0,
    17.2,
)
BLOCKED = ("STALE", "NO_STOCK", "NO_CASH", "LEG_SKEW", "COOLDOWN")


class DemoModel:
    """A `ReadModel` and `Controls` in one; :meth:`step` moves it."""

    def __init__(self, symbols: int = 20, seed: int = 1, profile: str = "upbit-binance", mode: str = "SIM") -> None:
        self.rng = random.Random(seed)
        self.now_ms = START_MS
        rows: list[RouteRow] = []
        self.routes: Sequence[RouteRow] = rows
        names = list(PRICES)
        for n in range(symbols):
            symbol = names[n] if n < len(names) else f"{names[n % len(names)]}{n // len(names)}"
            for buy, sell in (("UPBIT", "BINANCE"), ("BINANCE", "UPBIT")):
                rows.append(RouteRow(f"{symbol}:{buy}>{sell}", symbol, (buy, sell)))
        self._price = {row.id: PRICES[names[(i // 2) % len(names)]] for i, row in enumerate(self.routes)}
        listed = list(dict.fromkeys(row.symbol for row in rows))
        self.assets = [self._stocked(symbol, number) for number, symbol in enumerate(listed)]
        for exchange, cash, share in (("UPBIT", "KRW", 0.62), ("BINANCE", "USDT", 1.38)):
            amount = 50_000.0 * (1_384.2 if cash == "KRW" else 1)
            cell = StockCell(exchange, amount * share, amount * share, 0.0, 0.0, amount, share, 26.0, 8.0, 0.99, 9.0, 4.0)
            self.assets.append(StockRow(cash, (cell,), 50_000.0 * share))
        self._cycles: deque[CycleLine] = deque(maxlen=200)
        self._breaches: list[BreachLine] = []
        self._log: deque[LogLine] = deque(maxlen=200)
        self.cycles_version = self.breaches_version = self.log_version = 0
        limits = (
            LimitLeft("order", 10, 8.4, 12, 0.4, 0.0),
            LimitLeft("default", 6, 21, 30, 0.9, 0.0),
            LimitLeft("quotation", 0, 9, 10, 0, 0),
        )
        self._gauges = GaugeView(14.2, 82.4, 41, 0.6, 2.6, 8.1, 1_042, 0.9, 3.4, 0, 4, 1_182)
        self._header = HeaderView(
            profile, mode, "busy" if mode == "SIM" else "", "ARMED", "", "", 0, "", START_MS, 22_364,
            [ExchangeView("UPBIT", 12, 88, "ok"), ExchangeView("BINANCE", 31, 64, "ok")],
            1_384.2, 3_000, 1_284.2, 1_284.2, 212.05, 212.05, "USDT", 4, 7, 0, len(self.routes), 3, 12.5, rate_pair="KRW/USDT",
        )  # fmt: skip
        self._header.open_fx = self._gauges.open_fx = (
            OpenFxView("KRW", "USDT", 612.4, 500.0, 1000.0, 754.0, 12_345.0, 8.38, "blocked: NO_STOCK"),
        )
        self._gauges.venues = (
            VenueGauge("UPBIT", "HEALTHY", "", limits),
            VenueGauge("BINANCE", "DEGRADED", "wants no requests for 12 s", (LimitLeft("weight/1m", 4_300, 4_200, 6_000, 41, 12.0),)),
        )
        self.noise = 2.2
        self.kills: list[str] = []
        self.failing: list[str] = []
        self.disarmed: list[str] = []  # the reasons
        self.unfinished = 0  # cycles that keep it from being disarmed
        self.settled: list[str] = []
        self.trades: list[tuple[SettlementWay, Callable[[str], None]]] = []
        self.stocked: list[tuple[str, str, str, str]] = []
        self.limited: list[tuple[str, float | None, str]] = []
        self.disabled: dict[str, str] = {}
        self.detailed: list[str] = []
        self.rebalanced = (0.0, 0.0)
        self.refreshed = self.refreshed_stock = 0
        self.touch(self.routes)

    # the read model

    def header(self) -> HeaderView:
        header = self._header
        header.now_ms = self.now_ms
        header.breaches_open = sum(not breach.acknowledged for breach in self._breaches)
        return header

    def refresh(self, rows: Sequence[RouteRow]) -> None:
        self.refreshed += len(rows)

    def detail(self, route_id: str) -> RouteDetail:
        self.detailed.append(route_id)
        row = next(row for row in self.routes if row.id == route_id)
        fees = [(f"fee {venue.lower()}", bps) for venue, bps in zip(row.venues, (-5.0, -9.99, -4.98, -2.5), strict=False)]
        costs = [("rate fee", -4.99), ("depth", -0.4), ("rounding", -0.02), ("slippage", 0.0), ("shadow", 1.2)]
        falls = [("gross", row.edge_bps), *fees, *costs]
        net = sum(bps for _, bps in falls)
        wave = [math.nan] * 12 + [net + 4 * math.sin(second / 6 + hash_of(row.symbol)) for second in range(48)]
        words = [("OPENED", 6.1, "", 1), ("HEDGED", 6.1, "pnl +0.06", 1), ("IN_FLIGHT", 4.4, "", 37), ("UNWOUND", 5.2, "pnl -0.21", 1)]
        lines = [DecisionLine(self.now_ms - 1_700 * n, word, bps, told, count) for n, (word, bps, told, count) in enumerate(words * 5)]
        buy = self._ladder(row, "buy", row.venues[0], row.prices[0])
        return RouteDetail(route_id, row.symbol, [buy, self._ladder(row, "sell", row.venues[-1], row.prices[-1])], row.state,
            [Step(*fall) for fall in falls], net, 3.0, wave, lines, self._drains(row), DENIALS[:2], row.shape, 100.0,
            self._capacity(net), HEALTH, SlippageView(1.4, 128, 0.0))  # fmt: skip

    def _capacity(self, net: float) -> CapacityView:
        """A curve whose edge falls by 2 bps for each thousand, over books that end at 31,200."""
        edge = net + 12.0
        profits = {size: size * (edge - size / 500) / 1e4 for size in (1_000.0, 5_000.0, 20_000.0, 31_200.0)}
        points = [SizePoint(size, edge - size / 500, profit) for size, profit in profits.items()]
        best = max(0.0, edge * 250)
        steps = [31_200.0 * (step + 1) / 40 for step in range(40)]
        return CapacityView(
            "USDT",
            (1_000.0, 5_000.0, 20_000.0, 50_000.0),
            points[:3],
            SizePoint(best, edge / 2, best * edge / 2e4) if best > 0.0 else None,
            points[3],
            [size * (edge - size / 500) / 1e4 for size in steps],
            31_200.0,
        )

    def _drains(self, row: RouteRow) -> Sequence[DrainedStock]:
        stock = next(one for one in self.assets if one.asset == row.symbol)
        return [
            DrainedStock(row.symbol, cell.exchange, cell.share, cell.hours, cell.drain_hours, cell.refill_first)
            for cell in stock.cells
            if cell.exchange == row.venues[-1]
        ]

    def stock(self) -> Sequence[StockRow]:
        return self.assets

    def refresh_stock(self, rows: Sequence[StockRow]) -> None:
        self.refreshed_stock += len(rows)

    def transfer_plan(self, asset: str) -> Sequence[tuple[str, str]]:
        if next(row for row in self.assets if row.asset == asset).share > 0.5:
            return ()
        return (
            ("plan", f"{asset}:binance>upbit: 4712.1 {asset} are missing at upbit"),
            ("transfer", f"4712.3 {asset} by {asset}, fee 0.2, usually 2 min, address registered"),
            ("costs", "worth 10104.12, fee 0.43, price risk under way 6.12 (one standard deviation) USDT"),
            ("reverse", "the same by reverse trades costs 21.40 USDT at the prices of now"),
            ("rule", "travel rule: a verified exchange, the same person's account, a registered address"),
        )

    def rebalancing(self) -> tuple[float, float]:
        return self.rebalanced

    def _stocked(self, symbol: str, number: int) -> StockRow:
        """Every asset with another share of its target at Upbit, from none at all to twice."""
        target = 5_000 / PRICES.get(symbol, 1.0)
        at_upbit = (number * 0.37) % 2.0 if number % 20 else 0.01
        cells = []
        for exchange, share in (("UPBIT", at_upbit), ("BINANCE", 2.0 - at_upbit)):
            lasts = share * 3.1 if share < 1 else math.inf
            chance = 0.62 if share < 1 else 0.97
            held = share * target
            cells.append(
                StockCell(exchange, held, held * 0.9, held * 0.06, held * 0.04, target, share, lasts, share * 1.4, chance, 9.0, 4.0)
            )
        return StockRow(symbol, tuple(cells), 10_000.0, 1 - min(at_upbit, 2 - at_upbit))

    def _ladder(self, row: RouteRow, acts: str, exchange: str, price: float) -> Ladder:
        ours = 31.5 if row.state == "OPEN" else 0.0
        step = price * 2e-4
        asks = [Level(price + step * n, row.depth * (1 + n % 4), ours if acts == "buy" and n == 1 else 0.0) for n in range(10)]
        bids = [Level(price - step * (n + 1), row.depth * (1 + n % 3), ours if acts == "sell" and n == 1 else 0.0) for n in range(10)]
        currency = "KRW" if exchange == "UPBIT" else "USDT"
        return Ladder(exchange, currency, acts, asks, bids, price - step / 2, 2.0, row.age_ms, "STALE" if row.state == "STALE" else "LIVE",
            row.symbol)  # fmt: skip

    def cycles(self) -> Sequence[CycleLine]:
        return self._cycles

    def cycle(self, cycle_id: str) -> CycleDetail | None:
        line = next((line for line in self._cycles if line.id == cycle_id), None)
        if line is None:
            return None
        orders = [
            OrderLine(one.side, one.exchange, f"{line.symbol}-X", one.quote, "entry", f"{one.qty}", f"{one.price:.6g}", f"{one.qty}",
                f"{one.price:.6g}", "0.05 USDT", "FILLED", "", f"{cycle_id}-{one.side}", f"v-{cycle_id}-{one.side}")
            for one in line.trades
        ]  # fmt: skip
        pnl = {"currency": "USDT", "total": f"{line.pnl:.4f}", "fees": "0.1"} if line.state != "OPEN" else {}
        return CycleDetail(cycle_id, f"{line.symbol}:x>y", line.symbol, line.state, line.ts_ms, 6.1, pnl, line.reason, orders)

    def breaches(self) -> Sequence[BreachLine]:
        return sorted(self._breaches, key=lambda breach: (breach.acknowledged, -breach.ts_ms))

    def limits(self) -> Sequence[LimitLine]:
        return LIMITS

    def reconciliation(self) -> Sequence[tuple[str, str]]:
        return [
            ("in all", "compared within 12 s, 1 found"),
            ("full report", "184 s ago"),
            ("", ""),
            ("UPBIT", ""),
            ("in flight", "every 2 s, none had to be looked up"),
            ("open orders", "every 5 s, last 3 s ago, 212 done, 0 found"),
            ("trades", "every 10 s, last 8 s ago, 106 done, 2 not answered, 1 found"),
            ("balances", "every 30 s, last 12 s ago, 36 done, 0 found"),
            ("", ""),
            ("DIFFERENCES", "newest first"),
            ("09:12:44Z", "upbit trades: fill sell 36.3 XRP at 3030 KRW of order a4fz0k2m9q7rt1xw3c, that nobody had told"),
        ]

    def denials(self) -> Sequence[DenialLine]:
        return DENIALS

    def notices(self) -> Sequence[NoticeLine]:
        return NOTICES

    def gauges(self) -> GaugeView:
        return self._gauges

    def log(self) -> Sequence[LogLine]:
        return self._log

    # the controls

    def kill(self, source: str, reason: str = "") -> bool:
        self.kills.append(source)
        header = self._header
        header.kills += 1
        if header.state == "HALTED":
            return False
        header.state, header.halt_source, header.halt_reason = "HALTED", source, reason
        header.halt_ts_ms, header.halt_detail = self.now_ms, "4 cycles open, 7 orders pending at UPBIT, BINANCE"
        for row in self.routes:
            row.state = "HALTED"
            row.version += 1
        return True

    def failing_checks(self) -> Sequence[str]:
        return self.failing

    def rearm(self, typed_name: str, reason: str, kills: int) -> str | None:
        if kills != self._header.kills:
            return "a kill came since this was opened: close it and look again"
        if typed_name != self._header.profile:
            return f"the name is not {self._header.profile}"
        if not reason:
            return "give a reason: the journal keeps it"
        self._header.state = "ARMED"
        return None

    def disarm_refusal(self) -> str | None:
        if self._header.state == "HALTED":
            return "HALTED: a kill holds, and is latched too"
        if self._header.state == "DISARMED" and self.disarmed:
            return "DISARMED already, also after a restart"
        return f"{self.unfinished} cycles open: disarm once none is" if self.unfinished else None

    def disarm(self, reason: str) -> str | None:
        refusal = self.disarm_refusal()
        if refusal is None:
            self.disarmed.append(reason)
            self._header.state = "DISARMED"
        return refusal

    def toggle_pause(self) -> str:
        self._header.state = "ARMED" if self._header.state == "PAUSED" else "PAUSED"
        return self._header.state

    def acknowledge(self, breach_id: str) -> str | None:
        for i, b in enumerate(self._breaches):
            if b.id == breach_id:
                self._breaches[i] = BreachLine(b.id, b.ts_ms, b.severity, b.kind, b.scope, b.detail, b.action, True)
                self.breaches_version += 1
                return None
        return "no such breach"

    def ways(self, breach_id: str) -> Sequence[SettlementWay]:
        breach = next((b for b in self._breaches if b.id == breach_id), None)
        if breach is None or breach.kind != "RESIDUAL" or breach.scope in self.settled:
            return ()
        cycle = breach.scope
        long = "flatten binance: sell 46.65331234 BTC at 64123.45 USDT or more"
        return (
            SettlementWay("complete", cycle, "upbit", "BTC", "95000000", "complete upbit: sell 46.65331234 BTC at 95000000 KRW or more",
                "costs 12.3456 USDT"),
            SettlementWay("flatten", cycle, "binance", "BTC", "64123.45", long, "costs 14.0021 USDT, book shows 12.5"),
            SettlementWay("adjust", cycle, "binance", "BTC", "",
                f"adjust binance: its balance differs by 46.65331234 BTC; take its word, {cycle} is settled by that", "nothing is traded"),
            SettlementWay("flatten", cycle, "okx", "BTC", "", "flatten okx 46.65331234 BTC", "not now: its book is STALE", False),
            SettlementWay("write-off", cycle, "", "BTC", "", f"write-off: what {cycle} left counts as stock from then on",
                "nothing is traded"),
        )  # fmt: skip

    def settle(self, way: SettlementWay, typed_name: str, reason: str, tell: Callable[[str], None]) -> str | None:
        if typed_name != self._header.profile:
            return f"type the profile's name, {self._header.profile}"
        if not reason:
            return "a reason is needed: it is kept in the journal"
        if way.verb in ("complete", "flatten"):
            self.trades.append((way, tell))
            return None
        self.settled.append(way.cycle_id)
        tell(f"{way.cycle_id} is settled: {way.verb}")
        return None

    def stock_ways(self, asset: str) -> Sequence[StockWay]:
        wanted = Transfer(asset, "binance", "upbit", Decimal("466.4334"), asset, Decimal("0.4"), 4.0)
        return (
            StockWay("begin", asset, f"{asset}:binance>upbit", f"begin: you make it at binance yourself: {wanted.in_words()}", "466.4334",
                takes_amount=True, transfer=wanted),
            StockWay("returned", asset, "T118", f"settle T118 returned: 212.5 {asset} are back at binance"),
            StockWay("lost", asset, "T118", f"settle T118 lost: 212.5 {asset} do not come any more: that is a loss"),
            StockWay("target", asset, "upbit", "target at upbit: 851 now, it holds 84.9; nothing is traded", takes_amount=True),
            StockWay("target", asset, "binance", "target at binance: 851 now, it holds 1604.5; nothing is traded", takes_amount=True),
        )  # fmt: skip

    def do_stock_way(self, way: StockWay, amount: str, typed_name: str, reason: str) -> str | None:
        if typed_name != self._header.profile:
            return f"type the profile's name, {self._header.profile}"
        self.stocked.append((way.verb, way.where, amount, reason))
        return None

    def set_limit(self, scope: str, value: float | None, typed_name: str, reason: str) -> str | None:
        if typed_name != self._header.profile:
            return f"type the profile's name, {self._header.profile}"
        self.limited.append((scope, value, reason))
        return None

    def scopes(self, route_id: str) -> Sequence[str]:
        symbol, _, venues = route_id.partition(":")
        narrow = [f"route.{symbol}:{venues.lower()}", f"symbol.{symbol}"] if route_id else []
        return [*narrow, "exchange.upbit", "exchange.binance"]

    def halt_scope(self, scope: str, depth: str, reason: str) -> str | None:
        if scope == "symbol.ZZZ":
            return "nothing that it trades falls under symbol.ZZZ"
        halt = ScopedHalt(scope, Depth(depth), "CONSOLE", "operator", reason, self.now_ms - 133_000)
        self._header.scopes = (*self._header.scopes, halt)
        line = BreachLine(f"halt {scope}", halt.ts_ms, "WARN", HALT, scope, f"{depth} by operator: {reason}", "stands", acknowledged=False)
        self._breaches.append(line)
        self.breaches_version += 1
        return None

    def rearm_scope(self, scope: str, typed_name: str, reason: str) -> str | None:
        if typed_name != self._header.profile:
            return f"type the profile's name, {self._header.profile}"
        if not reason:
            return "a reason is needed: it is kept in the journal"
        self._header.scopes = tuple(halt for halt in self._header.scopes if halt.scope != scope)
        self._breaches = [line for line in self._breaches if line.id != f"halt {scope}"]
        self.breaches_version += 1
        return None

    def toggle_route(self, route_id: str) -> str:
        row = next(row for row in self.routes if row.id == route_id)
        row.version += 1
        if route_id in self.disabled:
            row.state = self.disabled.pop(route_id)
            return f"{route_id} enabled"
        self.disabled[route_id], row.state = row.state, "DISABLED"
        return f"{route_id} disabled for this run: it opens nothing"

    # what moves it

    def touch(self, rows: Sequence[RouteRow]) -> None:
        """New figures for ``rows``."""
        rng = self.rng
        for row in rows:
            base = self._price[row.id] * (1 + 0.001 * math.sin(self.now_ms / 9_000 + hash_of(row.symbol)))
            row.edge_bps = row.edge_bps * 0.97 + rng.gauss(0, self.noise)
            row.net_bps = row.edge_bps - 15.0 + rng.random() + 8 * (row.fills > 0)
            krw, usdt = base * 1_384.2, base * (1 + row.edge_bps / 1e4)
            row.prices = (krw, usdt) if row.venues[0] == "UPBIT" else (usdt, krw)
            row.depth = 40_000 / base * rng.random()
            row.age_ms = rng.choice((12.0, 40.0, 55.0, 61.0, 88.0, 140.0, 610.0))
            if self._header.state != "HALTED":
                blocked = BLOCKED[hash_of(row.id) % len(BLOCKED)] if hash_of(row.id) % 9 == 0 else "BELOW_THRESHOLD"
                row.state = "OPEN" if row.net_bps > 3 else "READY" if row.net_bps > 0 else blocked
            if row.state == "STALE":
                row.age_ms = 2_400.0
            if row.net_bps > 0:
                row.size = 100 / base
            row.version += 1

    def trade(self) -> None:
        """One more finished cycle."""
        rng, row = self.rng, self.rng.choice(self.routes)
        row.fills += 2
        price = self._price[row.id]
        qty = round(100 / price, 5)
        state = rng.choices(("HEDGED", "UNWOUND", "RESIDUAL", "OPEN"), (90, 6, 2, 2))[0]
        sold = qty if state == "HEDGED" else qty * 0.62
        pnl = 0.0 if state == "OPEN" else rng.gauss(0.06, 0.09) if state == "HEDGED" else -abs(rng.gauss(0.2, 0.1))
        self.cycles_version += 1
        trades = tuple(
            TradeLine(venue, side, row.symbol, *(("KRW", amount, price * 1_384) if venue == "UPBIT" else ("USDT", amount, price)))
            for side, venue, amount in (("buy", row.venues[0], qty), ("sell", row.venues[-1], sold))
        )
        planned = f"{row.venues[0]}→{row.venues[-1]}"
        line = CycleLine(f"c{self.cycles_version}", self.now_ms, row.symbol, planned, trades, pnl, rng.uniform(60, 240), state)
        self._cycles.appendleft(line)
        for name in ("pnl_day", "trading_day", "pnl_session", "trading_session"):
            setattr(self._header, name, getattr(self._header, name) + pnl)

    def breach(self, severity: str = "CRIT", kind: str = "LEG_IMBALANCE", scope: str = "SOL", detail: str = "12.5 > 10.0 limit") -> None:
        """One more breach."""
        self.breaches_version += 1
        self._breaches.append(BreachLine(f"b{self.breaches_version}", self.now_ms, severity, kind, scope, detail, "REDUCE", False))

    def say(self, level: str, text: str) -> None:
        """One more log line."""
        self.log_version += 1
        self._log.append(LogLine(self.now_ms, level, text))

    def gauge(self) -> None:
        """A second has passed for the gauges."""
        g, rng = self._gauges, self.rng
        g.cpu_percent, g.messages_per_s = rng.uniform(9, 22), rng.gauss(1_042, 130)
        g.lag_p99_ms = rng.uniform(1.4, 3.2)
        g.cpu_history.append(g.cpu_percent)
        g.rss_history.append(g.rss_mb)
        g.lag_history.append(rng.expovariate(0.6))
        g.messages_history.append(g.messages_per_s)
        g.snapshot_age_s = (g.snapshot_age_s + 1) % 5

    def lived(self) -> "DemoModel":
        """A quarter of an hour of life, for pictures."""
        for second in range(60):
            self.now_ms += 15_000
            self.touch(self.routes)
            self.gauge()
            if second % 2 == 0:
                self.trade()
        self.breach("WARN", "MESSAGE_AGE", "UPBIT", "2.4s > 1.5s")
        self.acknowledge("b1")
        self.breach()
        self.say("INFO", "run 7 started: SIM busy, seed 1, 20 symbols, 40 routes")
        self.say("INFO", "journal opened, 1,182 snapshots, nothing to resolve")
        self.say("WARNING", "UPBIT silent for 2.4 s, its books are STALE")
        self.say("INFO", "UPBIT speaks again after 2.6 s")
        self.say("ERROR", "SOL: sell leg rejected by BINANCE: INSUFFICIENT_BALANCE, completing within 20 bps")
        self._header.exchanges[0].age_ms = 12
        return self


@cache
def hash_of(text: str) -> int:
    """A hash that is the same in every run."""
    return sum(map(ord, text))


def demo_app(
    model: DemoModel,
    theme: Ground = "dark",
    frame_rate: int = 10,
    *,
    palette: PaletteName = "western",
    keys: dict[str, str] | None = None,
    on_error: Callable[[Exception], None] | None = None,
) -> ConsoleApp:
    """The console over ``model``, its pacing clock that of the model; without ``on_error`` an error ends it, and the test."""
    config = ConsoleConfig(theme=theme, frame_rate=frame_rate, palette=palette, keys=keys or {})
    return ConsoleApp(model, model, config, after_first_paint=None, on_error=on_error, monotonic=lambda: model.now_ms / 1_000)


async def live(model: DemoModel, share: float) -> None:
    """Move ``model`` in real time; ``share`` of the routes at each tenth of a second."""
    tick = 0
    while True:
        await asyncio.sleep(0.1)
        model.now_ms = time.time_ns() // 1_000_000
        tick += 1
        model.noise = 0.35
        model.touch(model.rng.sample(model.routes, max(1, int(len(model.routes) * share))))
        if tick % 6 == 0:
            model.trade()
        if tick % 10 == 0:
            model.gauge()


async def main() -> None:
    """Run the demo in this terminal."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--symbols", type=int, default=20)
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    parser.add_argument("--palette", choices=("western", "korean", "cvd", "mono"), default="western")
    parser.add_argument("--mode", default="SIM")
    parser.add_argument("--share", type=float, default=0.2)
    options = parser.parse_args()
    model = DemoModel(options.symbols, mode=options.mode).lived()
    app = ConsoleApp(model, model, ConsoleConfig(theme=options.theme, palette=options.palette))
    mover = asyncio.create_task(live(model, options.share))
    await app.run_async(mouse=False)
    mover.cancel()
    if app.failure is not None:
        raise app.failure


if __name__ == "__main__":
    asyncio.run(main())
