"""The local Upbit: joins its calls, sockets, keys and limits behind one port."""

from collections.abc import Mapping, Sequence
from typing import Any

from arbtui.exchanges.upbit.wire import UpbitDecoder
from arbtui.sandbox.account import AccountEvent
from arbtui.sandbox.answer import Answer, Refusal, encode
from arbtui.sandbox.call import Call
from arbtui.sandbox.endpoint import Endpoint, Open
from arbtui.sandbox.faults import WireFaultKind
from arbtui.sandbox.keys import Key
from arbtui.sandbox.notices import PlayedNotice
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.tape import PublicTrade, Tape
from arbtui.sandbox.upbit.auth import UpbitAuth
from arbtui.sandbox.upbit.bodies import announcement, my_asset, my_order
from arbtui.sandbox.upbit.exchange import UpbitExchange
from arbtui.sandbox.upbit.limits import UpbitLimits, refusal
from arbtui.sandbox.upbit.names import order_uuid, trade_uuid
from arbtui.sandbox.upbit.quotation import CAUTIONS, WARNING, UpbitQuotation
from arbtui.sandbox.upbit.refusals import not_found, refused
from arbtui.sandbox.upbit.stream import PUBLIC, UpbitSubscriptions
from arbtui.sandbox.venue import Premises
from arbtui.sandbox.won.door import WonVenue
from arbtui.sandbox.won.stream import PRIVATE


class UpbitVenue(WonVenue):
    """See :class:`arbtui.sandbox.venue.Venue`."""

    name = "upbit"
    public_path = "/websocket/v1"
    private_path = "/websocket/v1/private"
    flags = (WARNING, *CAUTIONS)
    invalid = "validation_error"
    used_before = "duplicated_identifier"

    def __init__(self, premises: Premises) -> None:
        account, book_of, faults, clock = premises.account, premises.book_of, premises.faults, premises.clock
        tape = Tape(UpbitDecoder, book_of, clock.time_ms)
        tape.on_trade_of = self._on_trade
        self._limits = UpbitLimits(clock.monotonic, enforced=premises.limits)
        self._quotation = quotation = UpbitQuotation(account.markets, book_of, tape, self.is_halted, clock.time_ms)
        quotation.flags_of = self.flags_of
        self._exchange = exchange = UpbitExchange(account, book_of, faults, self.is_halted, clock)
        self._asset_events = 0
        calls: dict[str, tuple[str, Open]] = {
            "/v1/market/all": ("market", quotation.market_all),
            "/v1/orderbook": ("orderbook", quotation.orderbook),
            "/v1/orderbook/instruments": ("orderbook", quotation.instruments),
            "/v1/ticker": ("ticker", quotation.tickers),
            "/v1/ticker/all": ("ticker", quotation.all_tickers),
            "/v1/trades/ticks": ("trade", quotation.ticks),
        }
        signed_calls: dict[tuple[str, str], Endpoint] = {
            ("POST", "/v1/orders"): Endpoint("order", "order", exchange.place),
            ("POST", "/v1/orders/test"): Endpoint("order-test", "test", exchange.test),
            ("GET", "/v1/order"): Endpoint("default", "query", exchange.order),
            ("DELETE", "/v1/order"): Endpoint("default", "cancel", exchange.cancel),
            ("GET", "/v1/orders/open"): Endpoint("default", "query", exchange.open_orders),
            ("DELETE", "/v1/orders/open"): Endpoint("order-cancel-all", "cancel", exchange.cancel_all),
            ("GET", "/v1/orders/closed"): Endpoint("default", "query", exchange.closed_orders),
            ("GET", "/v1/orders/uuids"): Endpoint("default", "query", exchange.orders_by_id),
            ("GET", "/v1/orders/chance"): Endpoint("default", "account", exchange.chance),
            ("GET", "/v1/accounts"): Endpoint("default", "account", exchange.accounts),
            ("GET", "/v1/status/wallet"): Endpoint("default", "wallet", exchange.wallet_status),
            ("GET", "/v1/withdraws/chance"): Endpoint("default", "wallet", exchange.withdraw_chance),
            ("GET", "/v1/withdraws/coin_addresses"): Endpoint("default", "wallet", exchange.withdraw_addresses),
            ("GET", "/v1/api_keys"): Endpoint("default", "account", exchange.api_keys),
        }
        public = UpbitSubscriptions(PUBLIC, account.markets, clock, faults, self.snapshot)
        private = UpbitSubscriptions((*PRIVATE, "announcement"), account.markets, clock, faults)
        super().__init__(premises, tape, public, private, UpbitAuth(premises.keys, faults), calls, signed_calls)

    def refused(self, name: str) -> Refusal:
        """See :class:`WonVenue`."""
        return refused(name)

    def no_path(self) -> Refusal:
        """See :class:`WonVenue`."""
        return not_found()

    def take(self, group: str) -> Answer | None:
        """See :class:`WonVenue`."""
        return self._limits.take(group)

    def headers(self, group: str) -> dict[str, str]:
        """See :class:`WonVenue`."""
        return self._limits.header(group)

    def trade_id(self, number: int | str) -> str:
        """See :class:`WonVenue`: a uuid."""
        return trade_uuid(number)

    def order_id(self, order: OrderRecord) -> str:
        """See :class:`arbtui.sandbox.venue.Venue`: a uuid."""
        return order_uuid(order.number)

    def throttled(self, status: int, retry_after_s: int) -> Answer:
        """See :class:`arbtui.sandbox.venue.Venue`."""
        return refusal(status, retry_after_s)

    async def answer_signed(self, call: Call, key: Key, params: Mapping[str, Any]) -> Answer:
        """See :class:`WonVenue`: orders, their tests and cancels need one right, "주문하기"."""
        known = self._signed[call.method, call.path]
        if not key.can_trade and (known.group in ("order", "order-test") or known.part == "cancel"):
            raise refused("out_of_scope")
        return await super().answer_signed(call, key, params)

    def snapshot(self, kind: str, code: str) -> bytes | None:
        """See :class:`WonVenue`."""
        return encode(self._quotation.ticker_frame(code, "SNAPSHOT")) if kind == "ticker" else super().snapshot(kind, code)

    def enriched(self, raw: bytes, code: str) -> bytes:
        """See :class:`WonVenue`: the best prices, since 2024."""
        book = self._last_books.get(code)
        if book is None:
            return raw
        best = _best(book)
        return raw if best is None else raw.replace(b'"stream_type"', best + b'"stream_type"', 1)

    def announce(self, notice: PlayedNotice) -> str:
        """See :class:`arbtui.sandbox.venue.Venue`: told to who listens now, and to nobody later."""
        now_ms = self._clock.time_ms()
        notice, first_ms, is_update = self.board.publish(notice, now_ms)
        self._events.send("", "announcement", encode(announcement(notice, first_ms, now_ms, is_update=is_update)))
        return notice.id

    def my_order(self, event: AccountEvent) -> dict[str, Any]:
        """See :class:`WonVenue`."""
        return my_order(event, self.account.markets[event.order.code], self._exchange.ord_type(event.order))

    def my_asset(self, assets: Sequence[str], ts_ms: int) -> dict[str, Any]:
        """See :class:`WonVenue`."""
        balances = self.account.balances()
        self._asset_events += 1
        return my_asset({asset: balances[asset] for asset in assets if asset in balances}, self._asset_events, ts_ms)

    def _on_trade(self, code: str, trade: PublicTrade) -> None:
        if self._public.fanout.is_wanted(("ticker", code)):
            frozen = self._faults.take(WireFaultKind.FREEZE, symbol=code, stream="public")
            if frozen is None:
                self._public.fanout.put(("ticker", code), encode(self._quotation.ticker_frame(code, "REALTIME")))


def _best(book: bytes) -> bytes | None:
    """The first unit of a book under the names that a trade has for it; None for an empty book."""
    start = book.find(b'"orderbook_units":[{') + len(b'"orderbook_units":[{')
    if start < len(b'"orderbook_units":[{'):
        return None
    unit = book[start : book.index(b"}", start)]
    for side in (b"ask", b"bid"):
        for what in (b"price", b"size"):
            unit = unit.replace(b'"' + side + b"_" + what, b'"best_' + side + b"_" + what)
    return unit + b","


DOOR = UpbitVenue
