"""What is asked while a venue refuses us, when, and what its answers are taken for."""

import asyncio
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import SecretStr

from arbtui.exchanges.answers import Answer, RequestFailed
from arbtui.exchanges.capabilities import Capabilities
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.keys import VenueKeyHolder, VenueKeys
from arbtui.exchanges.refusal_watch import RefusalWatch
from arbtui.exchanges.refusals import Meaning, Refusal, Retry, Scope, of_account, of_key, of_order
from arbtui.exchanges.standing import Block
from arbtui.model.errors import VenueFailed, VenueRefused
from arbtui.model.virtual_loop import run_virtual

ROWS = {
    "order": of_order("too small"),
    "key": of_key("make a new key"),
    "account": of_account("ask the venue"),
    "busy": Refusal(Scope.IP, Meaning.RATE_LIMITED, Retry.LATER, "wait"),
}
KEY = Block(ROWS["key"], "key", "words", True, 0.0)
ACCOUNT = Block(ROWS["account"], "account", "words", True, 0.0)


def failed(code: str, status: int | None = 400, *, sent: bool = True) -> RequestFailed:
    return RequestFailed("upbit", "x", Answer(status, code, "words", sent), lambda code, message: ROWS.get(code))


def keys(name: str) -> VenueKeys:
    return VenueKeys(SecretStr(f"{name}-of-a-test-key"), SecretStr("s"), name)


class Adapter:
    """Answers what a test says, and notes what happens to its standing and its keys."""

    name = "upbit"

    def __init__(self, block: Block | None, *, tests_orders: bool = True) -> None:
        self.capabilities = Capabilities(test_orders=tests_orders)
        self.happened: list[Any] = []
        self.errors: dict[str, Exception] = {}
        self.found = [keys("old")]
        self.held = VenueKeyHolder(lambda: self.found[-1])
        self.client = cast(CcxtClient, SimpleNamespace(in_use=self.held.current(), keys=self.held, use=self._use))
        self.dues: list[float | None] = []
        self.standing = cast(
            Any,
            SimpleNamespace(
                block=block,
                on_change=lambda: None,
                due_in=self._due_in,
                probed=lambda taken, said, *, tested=True: self._note(("probed", taken, said, tested)),
                probe_failed=lambda: self._note("failed"),
                try_again=lambda: self._note("try again"),
                keys_changed=self._keys_changed,
            ),
        )

    def _note(self, what: Any) -> None:
        self.happened.append(what)

    def _use(self, found: VenueKeys) -> None:
        self.client.in_use = found
        self._note(("use", found.source))

    def _keys_changed(self) -> None:
        self._note("keys changed")
        self.standing.block = None

    def _due_in(self) -> float | None:
        return self.dues.pop(0) if self.dues else None

    async def _ask(self, what: str) -> None:
        self._note(what)
        if what in self.errors:
            raise self.errors[what]

    async def check_keys(self) -> str:
        await self._ask("keys")
        return "the key is taken"

    async def check_account(self) -> None:
        await self._ask("account")

    async def test_order(self) -> None:
        await self._ask("order")


def probed(adapter: Adapter) -> list[Any]:
    asyncio.run(RefusalWatch(adapter)._probe())
    return adapter.happened


# a probe


def test_a_probe_asks_for_key_account_and_a_test_order_where_there_is_one() -> None:
    assert probed(Adapter(ACCOUNT)) == ["keys", "account", "order", ("probed", True, "the key is taken", True)]
    assert probed(Adapter(ACCOUNT, tests_orders=False)) == ["keys", "account", ("probed", True, "the key is taken", False)]


def test_nothing_is_asked_where_nothing_is_refused_and_a_trial_is_tried() -> None:
    assert probed(Adapter(None)) == []
    assert probed(Adapter(Block(ROWS["account"], "account", "words", True, 0.0, is_trial=True))) == ["try again"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (failed("", 503), "failed"),
        (failed("", None, sent=False), "failed"),
        (failed("order", None, sent=False), "failed"),
        (failed("busy", 429), "failed"),
        (failed("order"), ("probed", True, "upbit x: order words (HTTP 400)", True)),
        (failed("account"), ("probed", False, "upbit x: account words (HTTP 400)", True)),
        (failed("of tomorrow"), ("probed", False, "upbit x: of tomorrow words (HTTP 400)", True)),
        (VenueRefused("the account may not"), ("probed", False, "the account may not", True)),
        (VenueFailed("no answer"), "failed"),
    ],
    ids=str,
)
def test_what_an_answer_to_a_probe_is_taken_for(error: Exception, told: Any) -> None:
    adapter = Adapter(ACCOUNT)
    adapter.errors = {"order": error}
    assert probed(adapter) == ["keys", "account", "order", told]


def test_a_refused_key_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    adapter = Adapter(KEY)
    watch = RefusalWatch(adapter)
    for words in ("no", "no", "never", "no"):
        adapter.errors = {"keys": VenueRefused(words)}
        asyncio.run(watch._probe())
    assert caplog.messages == [f"upbit: the key ...-key is not used: {words}" for words in ("no", "never", "no")]
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


def test_a_probe_that_could_not_be_asked_is_told(caplog: pytest.LogCaptureFixture) -> None:
    adapter = Adapter(ACCOUNT)
    adapter.errors = {"keys": VenueFailed("no answer")}
    probed(adapter)
    assert caplog.messages == ["upbit: whether it takes orders again could not be asked: no answer"]


# other keys


def rotated(adapter: Adapter, watch: RefusalWatch | None = None) -> bool:
    return asyncio.run((watch or RefusalWatch(adapter))._rotate())


def test_the_same_keys_are_not_tried_again() -> None:
    adapter = Adapter(KEY)
    assert rotated(adapter) is False
    assert adapter.happened == []


@pytest.mark.parametrize("tests_orders", [True, False])
def test_other_keys_that_the_venue_takes_are_used(tests_orders: bool, caplog: pytest.LogCaptureFixture) -> None:
    adapter = Adapter(KEY, tests_orders=tests_orders)
    adapter.found.append(keys("new"))
    assert rotated(adapter) is True
    assert adapter.happened == [("use", "new"), "keys", *["order"] * tests_orders, "keys changed"]
    assert caplog.messages == ["upbit: the key is ...-key from now on (new)"]
    assert rotated(adapter) is False


@pytest.mark.parametrize(
    ("error", "taken"),
    [
        (failed("order"), True),  # a no to the test order itself is a yes to the key
        (failed("busy", 429), True),
        (failed("key"), False),
        (failed("account"), False),
        (failed("", 503), False),
        (VenueRefused("it may withdraw"), False),
        (VenueFailed("no answer"), False),
    ],
    ids=str,
)
def test_other_keys_that_the_venue_does_not_take_are_not_used(error: Exception, taken: bool, caplog: pytest.LogCaptureFixture) -> None:
    adapter = Adapter(KEY)
    adapter.found.append(keys("new"))
    adapter.errors = {"order": error}
    watch = RefusalWatch(adapter)
    for _ in range(2):
        assert rotated(adapter, watch) is taken
        assert adapter.client.in_use.source == ("new" if taken else "old")
        if taken:
            break
    if taken:
        assert adapter.happened == [("use", "new"), "keys", "order", "keys changed"]
    else:
        assert adapter.happened == [("use", "new"), "keys", "order", ("use", "old")] * 2
        assert caplog.messages == [f"upbit: the key ...-key is not used: {error}"]


def test_a_key_that_was_taken_meanwhile_is_told_again_where_it_is_refused_later(caplog: pytest.LogCaptureFixture) -> None:
    adapter = Adapter(KEY)
    watch = RefusalWatch(adapter)
    adapter.found.append(keys("new"))
    adapter.errors = {"keys": VenueRefused("no")}
    assert rotated(adapter, watch) is False
    adapter.errors = {}
    assert rotated(adapter, watch) is True
    adapter.found.append(keys("old"))
    adapter.errors = {"keys": VenueRefused("no")}
    assert rotated(adapter, watch) is False
    assert caplog.messages.count("upbit: the key ...-key is not used: no") == 2


# when it is asked


def watched(adapter: Adapter, until_s: float, later: Callable[[RefusalWatch], None] = lambda watch: None) -> list[tuple[float, str]]:
    """What is done, and when."""
    done: list[tuple[float, str]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        watch, start = RefusalWatch(adapter), loop.time()

        async def probe() -> None:
            done.append((loop.time() - start, "probe"))

        async def rotate() -> bool:
            done.append((loop.time() - start, "rotate"))
            return len(done) == 2

        watch._probe = probe  # type: ignore[method-assign]
        watch._rotate = rotate  # type: ignore[method-assign]
        assert adapter.standing.on_change == watch._changed.set
        task = asyncio.create_task(watch.run())
        loop.call_later(0.5, later, watch)
        await asyncio.sleep(until_s)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run_virtual(main())
    return done


def test_without_a_block_nothing_is_asked_until_there_is_one() -> None:
    adapter = Adapter(None)

    def blocked(watch: RefusalWatch) -> None:
        adapter.standing.block = ACCOUNT
        adapter.dues = [2.0, 0.0]
        adapter.standing.on_change()

    assert watched(adapter, 20.0, blocked) == [(2.5, "probe")]


def test_a_probe_is_made_when_it_is_due_and_not_before() -> None:
    adapter = Adapter(ACCOUNT)
    adapter.dues = [7.0, 0.0, 3.0, 1.0]
    assert watched(adapter, 9.0) == [(7.0, "probe")]


@pytest.mark.parametrize("due_s", [None, 30.0])
@pytest.mark.parametrize("scope", [Scope.KEY, Scope.IP])
def test_where_the_key_is_refused_other_keys_are_looked_for_every_five_seconds(scope: Scope, due_s: float | None) -> None:
    adapter = Adapter(Block(of_key("x", scope), "key", "words", True, 0.0))
    # At 5 s no probe is due, at 8 s the keys are replaced, at 10 s they are not and a probe is due.
    adapter.dues = [due_s, 25.0, 3.0, 2.0, 0.0]
    assert watched(adapter, 11.0) == [(5.0, "rotate"), (8.0, "rotate"), (10.0, "rotate"), (10.0, "probe")]


def test_a_change_begins_the_wait_anew() -> None:
    adapter = Adapter(ACCOUNT)
    adapter.dues = [7.0, 4.0, 0.0]
    assert watched(adapter, 6.0, lambda watch: watch._changed.set()) == [(4.5, "probe")]
