"""WonAdapter: orders and account of the won venues of one kind of interface; what differs between them is in each venue's folder.

Common to them, with the documents (docs.upbit.com, apidocs.bithumb.com):
- Nothing states what a key may do (``/v1/api_keys``: key and end of validity only).
- With both an order's id and our own, the venue's decides: look-ups here name ours alone.
- Closed orders are listed by the time of their creation; one query spans 7 days.
"""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any, Generic, TypeVar

from arbtui.exchanges.adapter import AccountEvents, OrderReport, StandingOrder
from arbtui.exchanges.amounts import read
from arbtui.exchanges.announcements import Announcement
from arbtui.exchanges.answers import Meaning, RequestFailed
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.networks import Networks
from arbtui.exchanges.order_outcome import OrderOutcomes
from arbtui.exchanges.private_stream import PrivateStream
from arbtui.exchanges.queries import Costs
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.refusals import OPEN, UNREACHABLE
from arbtui.exchanges.won import orders
from arbtui.exchanges.won.networks import Address, Wallet, WithdrawChance, by_asset, terms_of
from arbtui.model.clock import Clock
from arbtui.model.errors import WireError
from arbtui.model.market import Market
from arbtui.model.money import plain
from arbtui.model.order import Balance, Fill, Order, Side, TimeInForce

log = logging.getLogger("arbtui")

#: Seconds between two questions about withdrawals.
_PACE_S = 0.1
#: Pauses before a market's rules are asked for again at a start, in s.
_ASKED_AGAIN_AFTER_S = (0.5, 2.0)
#: ms by which older orders are queried too: closed orders are listed by creation time, and a resting one fills later.
_RESTING_MS = 3_600_000
#: ms after which an immediate order has certainly ended; it has no fills later than that.
_IMMEDIATE_MS = 5_000
#: How many ended orders' fills are kept, so that the next list of fills need not query each of them again.
_SETTLED = 10_000
#: ms that one query for closed orders may span, and how far back they are queried at all.
WINDOW_MS = 7 * 86_400_000
HISTORY_MS = 90 * 86_400_000

_Row = TypeVar("_Row", bound=orders.OrderRow)


class WonAdapter(CcxtAdapter, Generic[_Row]):
    """See :class:`ExchangeAdapter`; ``_Row`` is a row of the venue's lists of orders.

    ``title``: the venue's name in text for people. ``version``: what stands before the paths of its first generation.
    ``own_id``: the field of our client id. ``order_row``: what ``GET /v1/order`` is read as.
    """

    title: str
    version: str = ""
    own_id: str = "client_order_id"
    order_row: type[orders.OrderRow]
    query_costs: Costs = {"default": 1}  # noqa: RUF012  a constant, typed as a Mapping

    def __init__(self, client: CcxtClient, private_url: str, clock: Clock, look_after_s: Sequence[float]) -> None:
        super().__init__(client, private_url, clock)
        self._settled: dict[str, tuple[Fill, ...]] = {}  # fills of ended orders by the venue's id, newest last
        self._outcomes = OrderOutcomes(self.fetch_order, look_after_s)

    @abstractmethod
    async def _open_rows(self, lane: Lane) -> list[_Row]:
        """Open orders in any market."""
        ...

    @abstractmethod
    async def _closed_rows(self, since_ms: int, lane: Lane) -> list[_Row]:
        """Closed orders created since then."""
        ...

    @abstractmethod
    def _kind_of(self, frame: bytes) -> str:
        """``myOrder``, ``myAsset``, or anything else for a frame that carries no event; raises StreamRefused for an error."""
        ...

    @abstractmethod
    def _event_of(self, frame: bytes) -> orders.OrderEvent:
        """Read a ``myOrder`` frame."""
        ...

    async def check_keys(self) -> str:
        """See :meth:`CcxtAdapter.check_keys`: the venue states only that they are accepted (``GET /v1/api_keys``)."""
        answer = await self._default(f"{self.version}api_keys", {})
        with suppress(WireError):  # that they are accepted is what was asked
            self.account_names = tuple(f"key {row.access_key}" for row in read(answer, list[orders.KeyRow], "api_keys"))
        return f"is accepted; {self.title} does not state its permissions: make sure that it cannot withdraw"

    def unknown_order(self, market: Market, client_order_id: str) -> Mapping[str, Any]:
        """See :meth:`CcxtAdapter.unknown_order`."""
        return {self.own_id: client_order_id}

    async def ping(self) -> None:
        """See :meth:`CcxtAdapter.ping`: whether the keys are still accepted."""
        await self.check_keys()

    async def _default(self, path: str, params: Mapping[str, Any], lane: Lane = Lane.DATA) -> Any:
        """A signed query (GET) of the limits' group ``default``."""
        return await self.query("private", "GET", path, params, costs={"default": 1}, lane=lane)

    async def _with_account_rules(self, market: Market) -> Market | None:
        """``market`` by the account's own rules; None where it does not trade, or, named in :attr:`odd`, where they make no sense."""
        try:
            chance = await self._chance(market.code)
            made = replace(market, min_cost=self._least(chance, market), fees=chance.fees(market.fees))
        except RequestFailed as error:
            if not error.is_of_one_market:
                self.standing.refused(error)
                raise error.of_query() from None
            self.odd[market.code] = str(error)
            return None
        except WireError as error:
            self.odd[market.code] = str(error)
            return None
        return made if chance.market.state == "active" else None

    @abstractmethod
    def _least(self, chance: orders.Chance, market: Market) -> Decimal:
        """The least value of an order, in quote; raises WireError where that is no amount."""
        ...

    async def _chance(self, code: str) -> orders.Chance:
        """``GET /v1/orders/chance``; asked again without a usable answer: one lost of hundreds must not end a start."""
        path, params = f"{self.version}orders/chance", {"market": code}
        for pause in (*_ASKED_AGAIN_AFTER_S, None):
            try:
                answer = await self._client.request("private", "GET", path, params, lane=Lane.DATA, costs={"default": 1})
                return read(answer, orders.Chance, "chance")
            except RequestFailed as error:
                # A ban for too many requests is waited out in the limiter's queue, by this one and by all that wait there.
                if pause is None or not (error.refusal in (OPEN, UNREACHABLE) or error.meaning is Meaning.RATE_LIMITED):
                    raise
                log.warning("%s; asked again in %g s", error, pause)
                await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    def _order_fields(self, order: Order) -> dict[str, str]:
        """The fields of a limit order, but for the one that says so."""
        fields = {
            "market": order.market.code,
            "side": "bid" if order.side is Side.BUY else "ask",
            "volume": plain(order.qty),
            "price": plain(order.price),
            self.own_id: order.client_order_id,
        }
        if order.tif is not TimeInForce.GTC:  # an order without it stays open until it is cancelled
            fields["time_in_force"] = order.tif.value
        return fields

    async def list_standing(self) -> Sequence[StandingOrder]:
        """See :meth:`ExchangeAdapter.list_standing`."""
        with self.reading():
            return [StandingOrder(row.market, row.client_order_id or "", row.order_id) for row in await self._open_rows(Lane.CANCEL)]

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        """See :meth:`ExchangeAdapter.fetch_order`."""
        market = self.market(code)
        answer = await self.find(*self.look_up, {self.own_id: client_order_id}, costs=self.query_costs, lane=lane)
        if answer is None:
            return None
        with self.reading():
            row = read(answer, self.order_row, "order")
            if row.client_order_id != client_order_id or row.market != code:
                raise WireError("order", f"asked for {client_order_id}, got {row.client_order_id} in {row.market}")
            report = self._timed(orders.report_of(row, market))
        self._remember(report)
        return report

    async def fetch_open_orders(self, lane: Lane = Lane.DATA) -> Sequence[OrderReport]:
        """See :meth:`ExchangeAdapter.fetch_open_orders`; fills are left to :meth:`fetch_order`."""
        with self.reading():
            return [orders.state_report_of(row) for row in await self._open_rows(lane)]

    async def fetch_fills(self, since_ms: int, lane: Lane = Lane.DATA) -> Sequence[Fill]:
        """See :meth:`ExchangeAdapter.fetch_fills`.

        Closed orders are listed by creation time, so orders up to an hour older are checked too; one that rested
        longer, and closed since, is missed here and found by its client id. Nothing older than 90 days is queried. Fills
        have times in whole seconds, so ``since_ms`` is rounded down to one.
        """
        since_ms -= since_ms % 1000
        fills: list[Fill] = []
        with self.reading():
            rows = [*await self._closed_rows(since_ms - _RESTING_MS, lane), *await self._open_rows(lane)]
            for row in rows:
                over = row.time_in_force in orders.IMMEDIATE and 0 < orders.ms_of(row.created_at) < since_ms - _IMMEDIATE_MS
                if row.executed_volume and row.market in self.markets and not over:
                    fills += await self._fills_of(row, lane)
        once = {fill.trade_id: fill for fill in fills if fill.ts_event >= since_ms}
        return sorted(once.values(), key=lambda fill: fill.ts_event)

    async def _fills_of(self, row: _Row, lane: Lane) -> Sequence[Fill]:
        """An order's fills; those of an ended order are queried once."""
        if row.order_id not in self._settled:
            answer = await self._default(self.look_up[1], {"uuid": row.order_id}, lane)
            report = self._timed(orders.report_of(read(answer, self.order_row, "order"), self.markets[row.market]))
            self._remember(report)
            return report.fills
        return self._settled[row.order_id]

    def _remember(self, report: OrderReport) -> None:
        """Keep the fills of an ended order."""
        if report.is_complete:
            self._settled[report.venue_order_id] = report.fills
            if len(self._settled) > _SETTLED:
                del self._settled[next(iter(self._settled))]

    async def fetch_balances(self, lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
        """See :meth:`ExchangeAdapter.fetch_balances`."""
        answer = await self._default(f"{self.version}accounts", {}, lane)
        with self.reading():
            return orders.balances_of(read(answer, list[orders.AccountRow], "accounts"))

    async def fetch_networks(self, assets: Collection[str]) -> Networks:
        """See :meth:`ExchangeAdapter.fetch_networks`; fees and addresses only where the key may view them."""
        path = f"{self.version}status/wallet"
        wallets = self.read_aside(await self.ask_aside("private", path, costs={"default": 1}), list[Wallet], path)
        addresses = await self.viewed(f"{self.version}withdraws/coin_addresses", {}, list[Address])
        found = []
        for wallet in wallets:
            if wallet.currency in assets:
                chance = None
                if addresses is not None:
                    await asyncio.sleep(_PACE_S)  # a question for each asset: a third of the group's limit at most, never a burst of it
                    params = {"currency": wallet.currency, "net_type": wallet.net_type or wallet.currency}
                    chance = await self.viewed(f"{self.version}withdraws/chance", params, WithdrawChance)
                found.append(terms_of(wallet, chance, addresses))
        return by_asset(found)

    def _timed(self, report: OrderReport) -> OrderReport:
        """``report`` with the time of its receipt for fills that have no time of their own."""
        if all(fill.ts_event for fill in report.fills):
            return report
        now_ms = self._clock.time_ms()
        return replace(report, fills=tuple(fill if fill.ts_event else replace(fill, ts_event=now_ms) for fill in report.fills))

    def _on_frame(self, frame: bytes, account: AccountEvents, stream: PrivateStream) -> None:
        """``myOrder`` and ``myAsset``, and notices where the venue has them, all over one connection."""
        kind = self._kind_of(frame)
        if kind == "myOrder":
            report = orders.report_of_event(self._event_of(frame), self.markets)
            self._outcomes.on_report(report)
            account.on_order(self._timed(report))
        elif kind == "myAsset":
            account.on_balances(self.name, orders.balances_of_event(frame))
        elif kind == "announcement":
            self._announce(frame, account)

    def _announce(self, frame: bytes, account: AccountEvents) -> None:
        """Pass a notice on; one that cannot be read says nothing of orders, so nothing is fetched again for it."""
        try:
            account.on_announcement(self._announcement_of(frame))
        except WireError as error:
            log.error("%s: a notice cannot be read (%s); read it at the venue", self.name, error)

    def _announcement_of(self, frame: bytes) -> Announcement:
        """Read an ``announcement`` frame, where the venue sends them."""
        raise WireError("announcement", "none was asked for")
