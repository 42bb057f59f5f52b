"""The local Bithumb: joins its calls, sockets, keys and limits behind one port."""

from collections.abc import Mapping, Sequence
from typing import Any

from arbtui.exchanges.bithumb.wire import BithumbDecoder
from arbtui.sandbox.account import AccountEvent
from arbtui.sandbox.answer import Answer, Refusal, encode
from arbtui.sandbox.bithumb.auth import BithumbAuth
from arbtui.sandbox.bithumb.bodies import my_asset, my_order, notice_row
from arbtui.sandbox.bithumb.exchange import BithumbExchange
from arbtui.sandbox.bithumb.limits import BithumbLimits, refusal
from arbtui.sandbox.bithumb.names import order_id, trade_id
from arbtui.sandbox.bithumb.quotation import BithumbQuotation
from arbtui.sandbox.bithumb.refusals import no_route, refused
from arbtui.sandbox.bithumb.stream import PUBLIC, BithumbSubscriptions
from arbtui.sandbox.call import Call
from arbtui.sandbox.endpoint import Endpoint, Open
from arbtui.sandbox.keys import Key
from arbtui.sandbox.notices import PlayedNotice
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.tape import Tape
from arbtui.sandbox.venue import Premises
from arbtui.sandbox.won.door import WonVenue
from arbtui.sandbox.won.parameters import Body
from arbtui.sandbox.won.stream import PRIVATE

_NOTICES, _MOST_NOTICES = 5, 20


class BithumbVenue(WonVenue):
    """See :class:`arbtui.sandbox.venue.Venue`."""

    name = "bithumb"
    public_path = "/websocket/v1"
    private_path = "/websocket/v2/private"
    flags = ("CAUTION",)
    invalid = "invalid_parameter"
    used_before = "duplicate_client_order_id"

    def __init__(self, premises: Premises) -> None:
        account, book_of, faults, clock = premises.account, premises.book_of, premises.faults, premises.clock
        tape = Tape(BithumbDecoder, book_of, clock.time_ms)
        self._limits = BithumbLimits(clock.monotonic, enforced=premises.limits)
        quotation = BithumbQuotation(account.markets, book_of, tape, self.is_halted, clock.time_ms)
        quotation.flags_of = self.flags_of
        self._exchange = exchange = BithumbExchange(account, faults, self.is_halted, clock)
        calls: dict[str, tuple[str, Open]] = {
            "/v1/market/all": ("market", quotation.market_all),
            "/v1/orderbook": ("orderbook", quotation.orderbook),
            "/v1/ticker": ("ticker", quotation.tickers),
            "/v1/trades/ticks": ("trades", quotation.ticks),
            "/v1/notices": ("market", self._notices),
        }
        signed_calls: dict[tuple[str, str], Endpoint] = {
            ("POST", "/v2/orders"): Endpoint("order", "order", exchange.place),
            ("DELETE", "/v2/order"): Endpoint("cancel", "cancel", exchange.cancel),
            ("POST", "/v2/orders/cancel"): Endpoint("batch", "cancel", exchange.cancel_many),
            ("GET", "/v1/order"): Endpoint("default", "query", exchange.order),
            ("GET", "/v2/orders/pending"): Endpoint("default", "query", exchange.pending),
            ("GET", "/v2/orders/history"): Endpoint("default", "query", exchange.history),
            ("GET", "/v1/orders/chance"): Endpoint("default", "account", exchange.chance),
            ("GET", "/v1/accounts"): Endpoint("default", "account", exchange.accounts),
            ("GET", "/v1/status/wallet"): Endpoint("default", "wallet", exchange.wallet_status),
            ("GET", "/v1/withdraws/chance"): Endpoint("default", "wallet", exchange.withdraw_chance),
            ("GET", "/v1/withdraws/coin_addresses"): Endpoint("default", "wallet", exchange.withdraw_addresses),
            ("GET", "/v1/api_keys"): Endpoint("default", "account", exchange.api_keys),
        }
        public = BithumbSubscriptions(PUBLIC, account.markets, clock, faults, self.snapshot)
        private = BithumbSubscriptions(PRIVATE, account.markets, clock, faults)
        auth = BithumbAuth(premises.keys, faults, clock.time_ms)
        super().__init__(premises, tape, public, private, auth, calls, signed_calls)

    def refused(self, name: str) -> Refusal:
        """See :class:`WonVenue`."""
        return refused(name)

    def no_path(self) -> Refusal:
        """See :class:`WonVenue`."""
        return no_route()

    def take(self, group: str) -> Answer | None:
        """See :class:`WonVenue`."""
        return self._limits.take(group)

    def headers(self, group: str) -> dict[str, str]:
        """See :class:`WonVenue`."""
        return self._limits.headers(group)

    def trade_id(self, number: int | str) -> str:
        """See :class:`WonVenue`."""
        return trade_id(number)

    def order_id(self, order: OrderRecord) -> str:
        """See :class:`arbtui.sandbox.venue.Venue`."""
        return order_id(order.number)

    def throttled(self, status: int, retry_after_s: int) -> Answer:
        """See :class:`arbtui.sandbox.venue.Venue`: how long it lasts is not told."""
        return refusal(status)

    async def answer_signed(self, call: Call, key: Key, params: Mapping[str, Any]) -> Answer:
        """See :class:`WonVenue`: orders and cancels of one market have a limit of their own."""
        known = self._signed[call.method, call.path]
        if known.part in ("order", "cancel"):
            if not key.can_trade:
                raise refused("out_of_scope")
            code = str(params.get("market", "")) if known.part == "order" else self._exchange.code_of(params)
            throttled = self._limits.take_of_asset(known.group, code) if code else None
            if throttled is not None:
                return throttled
        return Answer(encode(await known.ask(key, params)), 201 if known.part == "order" else 200)

    def announce(self, notice: PlayedNotice) -> str:
        """See :class:`arbtui.sandbox.venue.Venue`: in the list from now on."""
        return self.board.publish(notice, self._clock.time_ms())[0].id

    async def _notices(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/notices``: the newest first, five or as many as are asked for, twenty at most."""
        count = min(int(query.get("count", _NOTICES)), _MOST_NOTICES)
        return [notice_row(notice, first_ms) for notice, first_ms in list(self.board.published.values())[::-1][:count]]

    def my_order(self, event: AccountEvent) -> dict[str, Any]:
        """See :class:`WonVenue`."""
        return my_order(event, self.account.markets[event.order.code])

    def my_asset(self, assets: Sequence[str], ts_ms: int) -> dict[str, Any]:
        """See :class:`WonVenue`."""
        balances = self.account.balances()
        return my_asset({asset: balances[asset] for asset in assets if asset in balances}, ts_ms)


DOOR = BithumbVenue
