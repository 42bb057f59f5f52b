"""One venue behind its port: what all doors share, and what each must implement."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from re import Pattern
from typing import Any, ClassVar

from aiohttp import web

from arbtui.model.errors import UsageError
from arbtui.sandbox.account import Account, AccountEvent
from arbtui.sandbox.answer import Answer
from arbtui.sandbox.book_corruptor import Prices
from arbtui.sandbox.call import Call
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.faults import Part, Stream, WireFaultKind, WireFaults
from arbtui.sandbox.keys import Key
from arbtui.sandbox.notices import NoticeBoard, PlayedNotice
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.peer import Peer
from arbtui.sandbox.private_events import Rearranger
from arbtui.sandbox.public_faults import PublicFaults
from arbtui.sandbox.sockets import Sockets
from arbtui.sandbox.tape import Tape
from arbtui.simulation.simulated_market import SimulatedMarket

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Premises:
    """What a door stands on: the venue's account, books, clock, keys (by their public part), and the faults that are scripted."""

    account: Account
    book_of: Callable[[str], SimulatedMarket]
    faults: WireFaults
    clock: VenueClock
    keys: Mapping[str, Key]
    limits: bool = True  #: False: requests are counted and none is refused
    cut_after_s: float = DAY_S  #: seconds after which the venue ends a socket, where it does


class Venue(ABC):
    """One venue: its account, public and private sockets, clock, and the scripted faults that meet them.

    Args:
        public: the sockets of market data.
        private: the sockets of one account's events.
    """

    name: ClassVar[str]
    public_path: ClassVar[str]  #: of the WebSocket of market data
    private_path: ClassVar[str]  #: of that of one account's events
    ladders: ClassVar[frozenset[str]] = frozenset()  #: kinds of frames with a book of many levels
    books: ClassVar[frozenset[str]] = frozenset()  #: kinds of frames with prices of a book
    timestamps: ClassVar[Pattern[bytes]]  #: a frame's times: group 1 the key, group 2 the ms, which a skewed clock shifts

    wants_passphrase: ClassVar[bool] = False  #: whether its keys have a passphrase
    errors_have_codes: ClassVar[bool] = False  #: whether its errors have a number (key ``code`` of a fault)
    error_pattern: ClassVar[str] = r".+"  #: what ``error`` of a fault must look like
    error_example: ClassVar[str] = ""
    announces_shutdown: ClassVar[bool] = False  #: whether it tells its sockets before it ends them (:meth:`shut_down`)
    flags: ClassVar[tuple[str, ...]] = ()  #: what its list of markets may warn of (fault ``flag``)
    answers_depth: ClassVar[bool] = False  #: whether a REST answer is where a client's book begins (fault ``old_depth``)

    def __init__(self, premises: Premises, tape: Tape, public: Sockets[Any], private: Sockets[Any]) -> None:
        self.account = account = premises.account
        self._faults = faults = premises.faults
        self._public_faults = PublicFaults(faults, self.rewritten)
        self._clock = premises.clock
        self._tape = tape
        self._sockets: dict[str, Sockets[Any]] = {
            "public": public,
            "private": private,
        }  # and "notices", where they have a socket of their own
        self._events = Rearranger(faults, self.send_private)
        self.board = NoticeBoard()
        account.listen(self.on_account)

    @property
    def private_streams(self) -> int:
        """How many private subscriptions there are, all clients together."""
        private = self._sockets["private"]
        return sum(len(private.fanout.of(peer)) for peer in private.peers)

    @property
    def is_down(self) -> bool:
        """Whether the venue answers nothing, and loses what arrives."""
        return self.account.is_down

    def is_halted(self, code: str) -> bool:
        """Whether ``code`` takes no orders: scripted, or by the market's own scenario."""
        return self._faults.find(WireFaultKind.HALT, symbol=code) is not None or self.account.is_halted(code)

    def flags_of(self, code: str) -> frozenset[str]:
        """What the list of markets warns of at ``code``: scripted."""
        flag = self._faults.take(WireFaultKind.FLAG, symbol=code)
        return frozenset(flag.words.split(",") if flag is not None and flag.words else ())

    @property
    def is_ready(self) -> bool:
        """Whether the door may open: what it answers at once has come."""
        return True

    def order_id(self, order: OrderRecord) -> str:
        """The venue's own id of an order, as its protocol has it."""
        return str(order.number)

    def shut_down(self, stream: Stream, after_s: float) -> None:
        """Tell every socket of ``stream`` that the venue is about to end, and cut it ``after_s`` seconds later."""
        raise NotImplementedError(f"{self.name} announces no shutdown")

    def announce(self, notice: PlayedNotice) -> str:
        """Publish a notice; its id.

        Raises:
            UsageError: the venue tells none over its interface.
        """
        raise UsageError(f"notice: {self.name} tells none over its interface")

    def begin(self) -> None:
        """Start the day's figures: every market has opened."""
        for code in self.account.markets:
            self._tape.day(code)

    @classmethod
    def urls(cls, address: str) -> dict[str, str]:
        """``rest``, ``stream`` and ``private`` of a profile, at ``address`` (host and port)."""
        return {"rest": f"http://{address}", "stream": f"ws://{address}{cls.public_path}", "private": f"ws://{address}{cls.private_path}"}

    def trade_id(self, number: int | str) -> str:
        """The venue's own id of a fill, where it numbers fills over all markets."""
        return str(number)

    def trade_ids(self) -> Iterator[str]:
        """The id of every fill of the account, as an adapter must name it, those of rolled-up orders first."""
        for number in range(1, sum(self.account.log.rolled_up().values()) + 1):
            yield self.trade_id(number)
        for fill in self.account.log.fills():
            yield self.trade_id(fill.trade_id)

    @abstractmethod
    def rewritten(self, raw: bytes, prices: Prices, empty: bool) -> bytes:
        """A frame of a book with other prices: ``prices`` makes (bid, ask) of what they were; ``empty``: no quantity on the ask side.

        A price that is no number must still pass a JSON parser.
        """

    @abstractmethod
    def part(self, call: Call) -> tuple[Part, str | None]:
        """Which kind of request it is and, for an order, its market: by which faults are selected."""

    @abstractmethod
    async def answer(self, call: Call) -> Answer:
        """Answer a request.

        Raises:
            Refusal: the venue refuses.
        """

    @abstractmethod
    def throttled(self, status: int, retry_after_s: int) -> Answer:
        """The venue's own 429 or 418."""

    @abstractmethod
    def duplicate(self) -> Answer:
        """The venue's own refusal of a client id that was used before."""

    @abstractmethod
    def error(self, code: str, words: str, status: int) -> Answer:
        """One of the venue's own errors."""

    def is_socket(self, path: str) -> bool:
        """Whether a WebSocket is served at ``path``."""
        return path in (self.public_path, self.private_path)

    @abstractmethod
    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve a WebSocket until it ends."""

    def housekeep(self) -> None:
        """What the venue does by itself once a second."""
        for sockets in self._sockets.values():
            sockets.housekeep()

    def what(self, raw: bytes) -> tuple[str, str]:
        """Kind and market of a frame as the simulator makes it; what subscribers of a stream name it by."""
        raise NotImplementedError

    def noted(self, kind: str, code: str, raw: bytes) -> bytes:
        """Note what a frame says, for what is answered later; the frame as it is sent."""
        return raw

    def on_frames(self, frames: Sequence[bytes]) -> None:
        """Send on what the market did; ``frames`` are as the simulator makes them."""
        public, faults, ladders, books = self._sockets["public"], self._public_faults, self.ladders, self.books
        fanout = public.fanout
        for raw in frames:
            kind, code = self.what(raw)
            raw = self.noted(kind, code, raw)
            if fanout.is_wanted((kind, code)):
                for frame in faults.sent(f"{kind} {code}", code, raw, ladder=kind in ladders, book=kind in books):
                    fanout.put((kind, code), self.skewed(frame))
        public.flush()

    @abstractmethod
    def on_deposit(self, asset: str, change: Decimal) -> None:
        """Send the private event of a deposit (or, negative, a withdrawal) of ``asset``."""

    @abstractmethod
    def on_account(self, event: AccountEvent) -> None:
        """Send the private events of one change of an order."""

    @abstractmethod
    def send_private(self, code: str, kind: str, payload: bytes) -> None:
        """Write one private event of market ``code`` to every socket that subscribes to its ``kind``."""

    def cut(self, stream: Stream = "any") -> None:
        """Break every socket of ``stream``."""
        for name, sockets in self._sockets.items():
            if stream in ("any", name):
                sockets.cut()

    def apply_delay(self, *peers: Peer) -> None:
        """Give ``peers`` (without any: all) the delay that is scripted now."""
        delay = self._faults.find(WireFaultKind.DELAY, part="public")
        for peer in peers or [peer for sockets in self._sockets.values() for peer in sockets.peers]:
            peer.delay_s = delay.ms / 1000 if delay is not None else 0.0
            if peer in self._sockets["public"].peers:
                peer.delay_s += self._faults.lag_s()

    async def accept(self, request: web.BaseRequest) -> Peer:
        """Finish a WebSocket's handshake; the open socket, with the delay that is scripted now."""
        response = web.WebSocketResponse(autoping=False, compress=False, timeout=1.0)
        await response.prepare(request)
        peer = Peer(request, response, self._clock.monotonic())
        self.apply_delay(peer)
        return peer

    def skewed(self, raw: bytes) -> bytes:
        """A frame with its times as the venue's clock has them now."""
        skew = self._clock.skew_ms
        return raw if not skew else self.timestamps.sub(lambda found: b'"%s":%d' % (found[1], int(found[2]) + skew), raw)
