"""A private stream in virtual time: when it connects again, what it passes on, and how one connection takes over from another."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import WSMessage, WSMsgType

from arbtui.exchanges.private_stream import PrivateStream, Socket, StreamEnded, StreamRefused, _in_words, confirmed, next_frame
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.subscriptions import Keepalive
from arbtui.model.errors import RateLimited, WireError
from arbtui.model.virtual_loop import run_virtual

END = WSMessage(WSMsgType.CLOSED, None, None)


def text(said: str) -> WSMessage:
    return WSMessage(WSMsgType.TEXT, said, None)


class FakeSocket:
    """One connection: what the test says comes over it."""

    def __init__(self, *messages: WSMessage) -> None:
        self.said: list[str] = []
        self.closed = False
        self.failure: Exception | None = None
        self.broken = False
        self._messages: asyncio.Queue[WSMessage] = asyncio.Queue()
        for message in messages:
            self._messages.put_nowait(message)

    def comes(self, message: WSMessage) -> None:
        self._messages.put_nowait(message)

    async def receive(self) -> WSMessage:
        return await self._messages.get()

    def __aiter__(self) -> "FakeSocket":
        return self

    async def __anext__(self) -> WSMessage:
        message = await self._messages.get()
        if message.type is WSMsgType.CLOSED:
            raise StopAsyncIteration
        return message

    async def send_str(self, said: str) -> None:
        if self.broken:
            raise ConnectionResetError
        self.said.append(said)

    async def close(self) -> None:
        self.closed = True

    def exception(self) -> Exception | None:
        return self.failure


class Limits:
    """Notes its turns and what it is told; ``errors`` are raised in turn."""

    banned_until = 77.0

    def __init__(self, *errors: Exception | None) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.errors = list(errors)

    async def turn(self, lane: Lane, costs: Mapping[str, float]) -> None:
        self.told.append((lane, dict(costs)))
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error

    def observe(self, status: int, headers: Mapping[str, str], groups: Collection[str]) -> None:
        self.told.append(("observe", status, dict(headers), list(groups)))


class Health:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def on_reachable(self) -> None:
        self.told.append("reachable")

    def on_unreachable(self) -> None:
        self.told.append("unreachable")

    def on_throttled(self, until: float) -> None:
        self.told.append(("throttled", until))

    async def sleep(self, seconds: float) -> None:
        self.told.append(("sleep", seconds))
        await asyncio.sleep(seconds)


class Heard:
    """A stream, everything that it calls, and when."""

    def __init__(self, limits: Limits | None = None, health: Health | None = None, **parts: Any) -> None:
        self.start = asyncio.get_running_loop().time()
        self.happened: list[tuple[float, Any]] = []
        self.odd: Exception | None = None
        self.refuses: list[Exception | None] = []
        self.subscribed: list[Any] = []
        self.stream = PrivateStream(
            "upbit",
            "wss://venue/private",
            headers=lambda: {"a": "b"},
            subscribe=cast(Any, self._subscribe),
            on_frame=self._on_frame,
            on_open=lambda: self._note("open"),
            on_close=lambda: self._note("close"),
            on_refused=lambda error: self._note(error),
            limits=cast(Any, limits),
            health=cast(Any, health),
            **parts,
        )

    def _note(self, what: Any) -> None:
        self.happened.append((asyncio.get_running_loop().time() - self.start, what))

    def _on_frame(self, frame: bytes) -> None:
        self._note(frame)
        if self.odd is not None:
            raise self.odd

    async def _subscribe(self, socket: Any, take: Callable[[bytes], None]) -> None:
        self.subscribed.append((socket, take))
        error = self.refuses.pop(0) if self.refuses else None
        if error is not None:
            raise error

    @property
    def told(self) -> list[Any]:
        return [what for _, what in self.happened]


def session_of(*sockets: FakeSocket | Exception) -> Any:
    """A session that opens these one after the other; ``asked``: with what."""
    left = list(sockets)
    asked: list[tuple[str, dict[str, Any]]] = []

    async def ws_connect(url: str, **options: Any) -> FakeSocket:
        asked.append((url, options))
        one = left.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    return SimpleNamespace(ws_connect=ws_connect, asked=asked)


def handshake(status: int, headers: Any = None) -> aiohttp.WSServerHandshakeError:
    return aiohttp.WSServerHandshakeError(
        cast(Any, SimpleNamespace(real_url="wss://x?signature=s")), (), status=status, message="no", headers=headers
    )


# when it connects again


def attempts(until_s: float, outcome: Callable[[int], Any], health: Health | None = None, **parts: Any) -> tuple[list[float], Heard]:
    """When it has begun to connect. ``outcome``: of the attempt of that number; an error, or s that the connection lasts."""

    async def main() -> tuple[list[float], Heard]:
        heard = Heard(health=health, **parts)
        at: list[float] = []

        async def keep(session: Any) -> None:
            at.append(asyncio.get_running_loop().time() - heard.start)
            ends = outcome(len(at) - 1)
            if isinstance(ends, Exception):
                raise ends
            await asyncio.sleep(ends)

        heard.stream._keep = keep  # type: ignore[method-assign]
        task = asyncio.create_task(heard.stream.run())
        await asyncio.sleep(until_s)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return at, heard

    found: tuple[list[float], Heard] = run_virtual(main())
    return found


def pauses(at: list[float]) -> list[float]:
    return [later - before for before, later in pairwise(at)]


def test_after_a_loss_it_connects_again_with_ever_longer_pauses() -> None:
    at, heard = attempts(70.0, lambda number: 0.0)
    assert pauses(at) == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]
    assert heard.told == ["close"] * 10


@pytest.mark.parametrize(("lasts", "pause"), [(29.75, 0.5), (30.0, 0.25)])
def test_after_a_connection_that_lasted_it_begins_with_the_shortest_pause(lasts: float, pause: float) -> None:
    at, _ = attempts(31.5, lambda number: (0.0, lasts, 99.0)[number])
    assert at == [0.0, 0.25, 0.25 + lasts + pause]


def test_a_refusal_is_told_and_has_longer_pauses() -> None:
    refusal = StreamRefused("401", "the key is refused")
    at, heard = attempts(200.0, lambda number: refusal)
    assert pauses(at) == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert heard.told == [refusal, "close"] * 11


def test_where_the_limits_leave_no_room_it_waits_as_long_as_they_say() -> None:
    at, _ = attempts(20.0, lambda number: RateLimited("no room", 0.375) if number < 3 else RateLimited("no room", 7.0))
    assert pauses(at) == [0.375, 0.5, 1.0, 7.0, 7.0]


def test_the_health_may_end_a_pause() -> None:
    health = Health()
    attempts(1.0, lambda number: 0.0, health)
    assert health.told == [("sleep", 0.25), ("sleep", 0.5), ("sleep", 1.0)]


def test_the_same_reason_is_a_warning_once_until_a_connection_lasted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "arbtui")
    ends: list[Any] = [OSError("a"), OSError("a"), OSError("b"), 0.0, 30.0, 0.0, OSError(), 99.0]
    attempts(40.0, lambda number: ends[number])
    W, I = logging.WARNING, logging.INFO  # noqa: E741
    assert [record.levelno for record in caplog.records] == [W, I, W, W, W, I, W]
    assert caplog.messages[:2] == ["upbit private stream: a; again in 0.25 s", "upbit private stream: a; again in 0.5 s"]
    assert caplog.messages[3].startswith("upbit private stream: closed by the venue; again in 2 s")
    assert caplog.messages[6].startswith("upbit private stream: OSError; again in")


@pytest.mark.parametrize(
    ("error", "paused", "longest"),
    [
        (handshake(399), 600.0, 15.0),
        (handshake(400), 600.0, 600.0),
        (handshake(404), 600.0, 600.0),
        (handshake(417), 600.0, 600.0),
        (handshake(418), 600.0, 15.0),
        (handshake(419), 600.0, 600.0),
        (handshake(429), 600.0, 15.0),
        (handshake(499), 600.0, 600.0),
        (handshake(500), 600.0, 15.0),
        (handshake(404), None, 15.0),
        (OSError("x"), 600.0, 15.0),
    ],
)
def test_the_longest_pause_where_the_handshake_is_refused(error: Exception, paused: float | None, longest: float) -> None:
    async def main() -> None:
        assert Heard(refused_pause_s=paused).stream._longest_after(error) == longest

    run_virtual(main())
    at, _ = attempts(200.0, lambda number: error, refused_pause_s=paused)
    assert max(pauses(at)) == (15.0 if longest == 15.0 else 64.0)


@pytest.mark.parametrize(
    ("error", "limits_told", "health_told"),
    [
        (handshake(404, {"X": "1"}), [("observe", 404, {"X": "1"}, ["socket-connect"])], []),
        (handshake(418), [("observe", 418, {}, ["socket-connect"])], [("throttled", 77.0)]),
        (handshake(429), [("observe", 429, {}, ["socket-connect"])], [("throttled", 77.0)]),
        (handshake(430), [("observe", 430, {}, ["socket-connect"])], []),
        (OSError("x"), [], ["unreachable"]),
        (TimeoutError(), [], ["unreachable"]),
        (aiohttp.ClientError("x"), [], ["unreachable"]),
        (WireError("a", "b"), [], []),
    ],
)
def test_what_limits_and_health_learn_of_a_failed_attempt(error: Exception, limits_told: list[Any], health_told: list[Any]) -> None:
    async def main() -> None:
        limits, health = Limits(), Health()
        Heard(limits, health).stream._learn(error)
        assert (limits.told, health.told) == (limits_told, health_told)
        alone = Limits()
        Heard(alone).stream._learn(error)
        assert alone.told == limits_told
        health = Health()
        Heard(health=health).stream._learn(error)
        assert health.told == ([] if isinstance(error, WireError) else ["unreachable"])
        Heard().stream._learn(error)

    run_virtual(main())
    health = Health()
    attempts(0.1, lambda number: error, health)
    assert health.told[-1] == ("sleep", 0.25)


def test_a_failure_is_told_without_the_address_of_its_handshake() -> None:
    assert _in_words(handshake(404)) == "the handshake is answered with HTTP 404 (no)"
    assert _in_words(OSError("x")) == "x"
    assert _in_words(TimeoutError()) == "TimeoutError"
    error = StreamRefused("401", "", 403, 7)
    assert (error.code, error.message, error.status, error.retry_at_ms, str(error)) == ("401", "", 403, 7, "refused: 401")


# opening


def test_a_connection_is_open_once_its_subscription_is_confirmed() -> None:
    async def main() -> None:
        limits, health, socket = Limits(), Health(), FakeSocket()
        heard = Heard(limits, health, query=lambda: "?q=1")
        session = session_of(socket)
        opened: Any = await heard.stream._open(session)
        assert opened is socket
        ((url, options),) = session.asked
        assert url == "wss://venue/private?q=1"
        assert options == {"headers": {"a": "b"}, "heartbeat": 5.0, "compress": 0}
        assert limits.told == [(Lane.DATA, {"socket-connect": 1}), (Lane.DATA, {"socket-message": 1})]
        assert health.told == ["reachable"]
        ((subscribed, take),) = heard.subscribed
        assert subscribed is socket
        take(b"x")
        assert heard.told == [b"x"]
        assert not socket.closed
        other = session_of(FakeSocket())
        await Heard().stream._open(other)
        assert other.asked[0][0] == "wss://venue/private"

    run_virtual(main())


@pytest.mark.parametrize("fails", ["subscription", "second turn", "no answer"])
def test_a_connection_whose_subscription_is_not_confirmed_is_closed(fails: str) -> None:
    async def main() -> None:
        limits = Limits(None, RateLimited("no room", 1.0) if fails == "second turn" else None)
        socket = FakeSocket()
        heard = Heard(limits)
        if fails == "no answer":

            async def never(socket: Any, take: Any) -> None:
                await asyncio.Event().wait()

            heard.stream._subscribe = never
        heard.refuses = [StreamRefused("401", "no")]
        kinds = {"subscription": StreamRefused, "second turn": RateLimited, "no answer": TimeoutError}
        with pytest.raises(kinds[fails]):
            await heard.stream._open(session_of(socket))
        assert socket.closed
        assert asyncio.get_running_loop().time() - heard.start == (10.0 if fails == "no answer" else 0.0)

    run_virtual(main())


def test_a_handshake_is_waited_for_ten_seconds() -> None:
    async def main() -> None:
        async def never(url: str, **options: Any) -> None:
            await asyncio.Event().wait()

        health = Health()
        heard = Heard(health=health)
        with pytest.raises(TimeoutError):
            await heard.stream._open(cast(Any, SimpleNamespace(ws_connect=never)))
        assert asyncio.get_running_loop().time() - heard.start == 10.0
        assert health.told == []

    run_virtual(main())


# reading


def test_frames_are_passed_on_as_they_come() -> None:
    async def main() -> None:
        heard = Heard()
        socket = FakeSocket(text("한"), WSMessage(WSMsgType.BINARY, b"\x00", None), WSMessage(WSMsgType.PONG, b"p", None), END)
        await heard.stream._read(cast(Socket, socket))
        assert heard.told == ["한".encode(), b"\x00"]
        for failure, words in ((OSError("broken"), "socket: broken"), (OSError(), "socket: OSError")):
            socket = FakeSocket(END)
            socket.failure = failure
            with pytest.raises(WireError) as told:
                await heard.stream._read(cast(Socket, socket))
            assert str(told.value) == words

    run_virtual(main())


def test_after_a_frame_that_cannot_be_read_everything_is_fetched_again_and_the_venues_end_ends_it() -> None:
    async def main() -> None:
        heard = Heard()
        heard.odd = WireError("order", "odd")
        heard.stream._take(b"x")
        assert heard.told == [b"x", "open"]
        heard.odd = StreamEnded("over", "x")
        with pytest.raises(StreamEnded):
            heard.stream._take(b"y")
        assert heard.told == [b"x", "open", b"y"]

    run_virtual(main())


def test_a_venue_that_wants_to_hear_a_word_hears_it_while_the_connection_stands() -> None:
    async def main() -> None:
        for keepalive, said in ((Keepalive("ping", 20.0), ["ping"] * 3), (None, [])):
            socket = FakeSocket()
            reading = asyncio.create_task(Heard(keepalive=keepalive).stream._read(cast(Socket, socket)))
            await asyncio.sleep(65.0)
            assert socket.said == said
            socket.comes(END)
            await reading
            await asyncio.sleep(65.0)
            assert socket.said == said
        broken = FakeSocket()
        broken.broken = True
        await Heard(keepalive=Keepalive("ping", 20.0)).stream._ping(cast(Socket, broken))  # who reads it notices
        closed = FakeSocket()
        closed.closed = True
        await Heard(keepalive=Keepalive("ping", 20.0)).stream._ping(cast(Socket, closed))
        assert closed.said == []

    run_virtual(main())


# one connection after the other


def test_what_ends_a_connection_is_raised_after_it_was_closed() -> None:
    async def main() -> None:
        heard, socket = Heard(), FakeSocket(text("x"), END)
        await heard.stream._keep(session_of(socket))
        assert (heard.told, socket.closed) == (["open", b"x"], True)
        heard, socket = Heard(), FakeSocket(text("x"))
        heard.odd = StreamEnded("over", "x")
        with pytest.raises(StreamEnded):
            await heard.stream._keep(session_of(socket))
        assert socket.closed

    run_virtual(main())


@pytest.mark.parametrize("renewed", [True, False])
def test_a_new_connection_takes_over_before_the_old_one_closes(renewed: bool) -> None:
    async def main() -> None:
        heard, old, new = Heard(), FakeSocket(), FakeSocket()
        heard.stream.renew()  # of an earlier connection
        task = asyncio.create_task(heard.stream._keep(session_of(old, new)))
        await asyncio.sleep(5.0)
        assert heard.told == ["open"]
        if renewed:
            heard.stream.renew()
        else:
            await asyncio.sleep(23 * 3600.0 - 6.0)
            assert heard.told == ["open"]
        await asyncio.sleep(2.0)
        assert heard.told == ["open", "open"]
        assert (old.closed, new.closed) == (True, False)
        new.comes(text("x"))
        await asyncio.sleep(0.0)
        new.comes(END)
        await task
        assert heard.told == ["open", "open", b"x"]
        assert new.closed

    run_virtual(main())


@pytest.mark.parametrize("error", [OSError("no way"), StreamRefused("401", "no")], ids=str)
def test_without_a_successor_the_old_one_goes_on_and_another_is_tried_a_second_later(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        old, new = FakeSocket(), FakeSocket()
        heard = Heard()
        task = asyncio.create_task(heard.stream._keep(session_of(old, error, error, new)))
        await asyncio.sleep(1.0)
        heard.stream.renew()
        await asyncio.sleep(0.5)
        old.comes(text("x"))
        await asyncio.sleep(3.0)
        refused = [(at, error) for at in (1.0, 2.0)] if isinstance(error, StreamRefused) else []
        assert [one for one in heard.happened if one[1] == error] == refused
        assert [one for one in heard.happened if one[1] != error] == [(0.0, "open"), (1.5, b"x"), (3.0, "open")]
        assert (old.closed, new.closed) == (True, False)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert new.closed
        assert [line for line in caplog.messages if "successor" in line] == [f"upbit private stream: no successor yet: {error}"] * 2

    run_virtual(main())


def test_an_old_connection_that_ends_while_there_is_no_successor_ends_it() -> None:
    async def main() -> None:
        old = FakeSocket()
        heard = Heard()
        task = asyncio.create_task(heard.stream._keep(session_of(old, OSError("no way"), OSError("no way"))))
        await asyncio.sleep(1.0)
        heard.stream.renew()
        await asyncio.sleep(0.5)
        old.comes(END)
        await task
        assert asyncio.get_running_loop().time() - heard.start == 1.5
        assert old.closed

    run_virtual(main())


# subscribing


def test_the_next_frame_is_bytes_whatever_its_type_and_a_closed_socket_has_none() -> None:
    async def main() -> None:
        socket = FakeSocket(text("한"), WSMessage(WSMsgType.BINARY, bytearray(b"\x00"), None), END)
        assert await next_frame(cast(Socket, socket)) == "한".encode()
        assert await next_frame(cast(Socket, socket)) == b"\x00"
        with pytest.raises(WireError, match="subscribe: closed before it was answered"):
            await next_frame(cast(Socket, socket))

    run_virtual(main())


@pytest.mark.parametrize(("times", "taken", "left"), [(0, [], 5), (1, [b"x"], 3), (2, [b"x", b"y"], 1)])
def test_so_many_confirmations_are_waited_for_and_the_rest_is_passed_on(times: int, taken: list[bytes], left: int) -> None:
    async def main() -> None:
        frames: list[bytes] = []
        socket = FakeSocket(*map(text, ("x", "yes", "y", "yes", "z")))
        await confirmed(cast(Socket, socket), frames.append, lambda frame: frame == b"yes", times)
        assert frames == taken
        assert socket._messages.qsize() == left

    run_virtual(main())
