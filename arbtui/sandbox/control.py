"""The control port: the venues' true balances and orders, and the scripted faults. It has no counterpart at a real venue."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

import msgspec
from aiohttp import web

from arbtui.model.errors import UsageError
from arbtui.model.money import plain
from arbtui.sandbox.answer import JSON, encode
from arbtui.sandbox.faults import WireFault, WireFaults, read_fault
from arbtui.sandbox.http_server import shut
from arbtui.sandbox.notices import PlayedNotice
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.venue import Venue
from arbtui.simulation.planted_gap import PlantedGap

_Ask = Callable[[web.BaseRequest], Awaitable[Any]]


class _Deposit(msgspec.Struct, forbid_unknown_fields=True):
    venue: str
    asset: str
    amount: str


class _Transfer(msgspec.Struct, forbid_unknown_fields=True, rename={"sender": "from", "receiver": "to"}):
    asset: str
    sender: str
    receiver: str
    amount: str
    fee: str | None = None
    minutes: float | None = None


class _Gap(msgspec.Struct, forbid_unknown_fields=True):
    venue: str
    symbol: str
    bps: float
    seconds: float


class Controlled(Protocol):
    """The running sandbox as the control port reads and changes it."""

    @property
    def venues(self) -> Mapping[str, Venue]:
        """The venues, by name."""
        ...

    @property
    def faults(self) -> Mapping[str, WireFaults]:
        """The scripted faults, by venue."""
        ...

    def health(self) -> Mapping[str, Any]:
        """How the sandbox itself is doing, as JSON."""
        ...

    def trades(self) -> Iterable[tuple[str, str]]:
        """(exchange, trade id) of every fill."""
        ...

    def order_id(self, venue: str, order: OrderRecord) -> str:
        """The venue's own id of an order."""
        ...

    def fault(self, fault: WireFault) -> None:
        """Script a fault; raises UsageError for one that cannot be played."""
        ...

    def plant(self, gap: PlantedGap) -> None:
        """Open a gap in one market's price; raises UsageError for a market that is not played."""
        ...

    def announce(self, notice: PlayedNotice) -> str:
        """Let a venue publish a notice; its id. Raises UsageError for a venue that is not there, or tells none over its interface."""
        ...

    async def deposit(self, venue: str, asset: str, amount: str) -> None:
        """Book a deposit (negative: a withdrawal); raises UsageError for one that cannot be booked."""
        ...

    async def transfer(
        self, asset: str, sender: str, receiver: str, amount: str, fee: str | None, minutes: float | None
    ) -> Mapping[str, Any]:
        """Move coins between the venues, as a person would; raises UsageError for a transfer that cannot be made."""
        ...


class Control:
    """Serves the control port of ``sandbox``."""

    def __init__(self, sandbox: Controlled, host: str, port: int) -> None:
        self.port = port
        self._sandbox = sandbox
        self._host = host
        self._runner: web.ServerRunner | None = None
        self._calls: dict[tuple[str, str], _Ask] = {
            ("GET", "/health"): self._health,
            ("GET", "/ledger"): self._ledger,
            ("GET", "/balances"): self._balances,
            ("GET", "/orders"): self._orders,
            ("GET", "/faults"): self._standing,
            ("POST", "/faults"): self._add,
            ("DELETE", "/faults"): self._clear,
            ("POST", "/gaps"): self._plant,
            ("POST", "/deposits"): self._deposit,
            ("POST", "/transfers"): self._transfer,
            ("POST", "/notices"): self._announce,
        }

    async def open(self) -> None:
        """Begin to listen.

        Raises:
            UsageError: the port is taken or may not be used.
        """
        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.2)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self.port).start()
        except OSError as error:
            await runner.cleanup()
            raise UsageError(f"port {self.port} on {self._host} cannot be used ({error.strerror or error}); give another --port") from None
        self._runner = runner
        self.port = int(runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await shut(self._runner)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        ask = self._calls.get((request.method, request.path))
        if ask is None:
            known = ", ".join(f"{method} {path}" for method, path in self._calls)
            return _json({"error": f"no such call; there are {known}"}, 404)
        try:
            return _json(await ask(request))
        except UsageError as error:
            return _json({"error": str(error)}, 400)

    async def _health(self, request: web.BaseRequest) -> Any:
        return self._sandbox.health()

    async def _ledger(self, request: web.BaseRequest) -> Any:
        await asyncio.gather(*(venue.account.settle() for venue in self._sandbox.venues.values()))
        return [[exchange, trade_id] for exchange, trade_id in self._sandbox.trades()]

    async def _balances(self, request: web.BaseRequest) -> Any:
        return {
            name: {asset: {"free": plain(one.free), "locked": plain(one.locked)} for asset, one in venue.account.balances().items()}
            for name, venue in self._sandbox.venues.items()
        }

    async def _orders(self, request: web.BaseRequest) -> Any:
        return [
            {
                "exchange": name,
                "venue_order_id": self._sandbox.order_id(name, order),
                "client_order_id": order.client_order_id,
                "market": order.code,
                "side": order.side.value,
                "tif": order.tif.value,
                "qty": plain(order.qty),
                "price": plain(order.price),
                "state": order.state.value,
                "filled_qty": plain(order.filled_qty),
                "locked": plain(order.locked),
                "ts_ms": order.ts_ms,
            }
            for name, venue in self._sandbox.venues.items()
            for order in venue.account.log.orders(None, limit=100_000)
        ]

    async def _standing(self, request: web.BaseRequest) -> Any:
        return [row for faults in self._sandbox.faults.values() for row in faults.standing()]

    async def _add(self, request: web.BaseRequest) -> Any:
        self._sandbox.fault(read_fault(await request.read()))
        return await self._standing(request)

    async def _clear(self, request: web.BaseRequest) -> Any:
        for faults in self._sandbox.faults.values():
            faults.clear()
        return []

    async def _plant(self, request: web.BaseRequest) -> Any:
        try:
            one = msgspec.json.decode(await request.read(), type=_Gap)
            gap = PlantedGap(one.venue, one.symbol, one.bps, one.seconds)
        except (msgspec.MsgspecError, ValueError) as error:
            raise UsageError(f"gap: {error}") from None
        self._sandbox.plant(gap)
        return {"venue": gap.exchange, "symbol": gap.code, "bps": gap.bps, "seconds": gap.for_s}

    async def _announce(self, request: web.BaseRequest) -> Any:
        try:
            notice = msgspec.json.decode(await request.read(), type=PlayedNotice)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UsageError(f"notice: {error}") from None
        return {"venue": notice.venue, "id": self._sandbox.announce(notice), "title": notice.title}

    async def _deposit(self, request: web.BaseRequest) -> Any:
        try:
            deposit = msgspec.json.decode(await request.read(), type=_Deposit)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UsageError(f"deposit: {error}") from None
        await self._sandbox.deposit(deposit.venue, deposit.asset, deposit.amount)
        return await self._balances(request)

    async def _transfer(self, request: web.BaseRequest) -> Any:
        try:
            one = msgspec.json.decode(await request.read(), type=_Transfer)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UsageError(f"transfer: {error}") from None
        return await self._sandbox.transfer(one.asset, one.sender, one.receiver, one.amount, one.fee, one.minutes)


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(body=encode(body), status=status, content_type=JSON)
