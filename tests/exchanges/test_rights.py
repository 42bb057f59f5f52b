"""What the smallest questions show of a key's rights: a no to the order itself is a yes to the right."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import pytest

from arbtui.exchanges.answers import Answer, RequestFailed
from arbtui.exchanges.binance.refusals import refusal
from arbtui.exchanges.capabilities import Capabilities
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.rights import Right, _right, prove_rights
from arbtui.model.errors import RateLimited, VenueFailed, VenueRefused


def failed(status: int | None, code: str = "", message: str = "x") -> RequestFailed:
    return RequestFailed("binance", "POST order/test", Answer(status, code, message, sent=True), refusal)


def asked(error: Exception | None) -> Right:
    async def question() -> None:
        if error is not None:
            raise error

    return asyncio.run(_right("order", question()))


@pytest.mark.parametrize(
    ("error", "is_given", "words"),
    [
        (None, True, "taken"),
        (failed(400, "-1013", "Filter failure: NOTIONAL"), True, "binance POST order/test: -1013 Filter failure: NOTIONAL (HTTP 400)"),
        (failed(400, "-2011", "Unknown order sent."), True, "binance POST order/test: -2011 Unknown order sent. (HTTP 400)"),
        (failed(429, "-1003", "Too many requests."), None, "binance POST order/test: -1003 Too many requests. (HTTP 429)"),
        (failed(503), None, "binance POST order/test: x (HTTP 503)"),
        (failed(400, "-2999", "of tomorrow"), None, "binance POST order/test: -2999 of tomorrow (HTTP 400)"),
        (failed(None, message="no answer"), None, "binance POST order/test: no answer"),
        (VenueRefused("the key is refused"), False, "the key is refused"),
        (VenueFailed("no answer"), None, "no answer"),
        (RateLimited("no room", 1.5), None, "no room"),
    ],
    ids=str,
)
def test_what_an_answer_shows(error: Exception | None, is_given: bool | None, words: str) -> None:
    assert asked(error) == Right("order", is_given, words)


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (401, "-2015", "Invalid API-key, IP, or permissions for action."),
        (400, "-2010", "This action is disabled on this account."),
        (400, "-2010", "Rest API trading is not enabled."),
        (401, "-2999", "of tomorrow"),
    ],
)
def test_a_no_to_key_account_or_everybody_is_a_no_to_the_right_and_says_what_to_do(status: int, code: str, message: str) -> None:
    error = failed(status, code, message)
    assert asked(error) == Right("order", False, f"{error}; {error.refusal.say}")


def test_a_right_is_told_in_one_line() -> None:
    assert str(Right("order", True, "taken")) == "right to order: proven"
    assert str(Right("order", False, "no")) == "right to order: REFUSED (no)"
    assert str(Right("order", None, "no answer")) == "right to order: not known (no answer)"
    assert str(Right("order", None, "later", can_be_proven=False)) == "right to order: later"


class Asked:
    """Notes what an adapter is asked, and refuses what a test says."""

    look_up = ("GET", "order")
    cancel_order = ("DELETE", "order")

    def __init__(self, tests_orders: bool, refuses: str = "") -> None:
        self.capabilities = Capabilities(test_orders=tests_orders)
        self.questions: list[Any] = []
        self._refuses = refuses

    def any_market(self) -> str:
        return "XRP"

    def unused_id(self) -> str:
        return "a1"

    def unknown_order(self, market: str, client_order_id: str) -> Mapping[str, str]:
        return {"symbol": market, "id": client_order_id}

    async def _note(self, what: str, *of: Any) -> None:
        self.questions.append((what, *of))
        if what == self._refuses:
            raise VenueRefused(f"no {what}")

    async def fetch_balances(self) -> None:
        await self._note("balances")

    async def test_order(self) -> None:
        await self._note("test order")

    async def ask(self, method: str, path: str, params: Mapping[str, str]) -> None:
        await self._note(method, path, params)


NAMED = {"symbol": "XRP", "id": "a1"}


def proven(adapter: Asked) -> list[Right]:
    make: Callable[[CcxtAdapter], Awaitable[list[Right]]] = prove_rights

    async def main() -> list[Right]:
        return await make(cast(CcxtAdapter, adapter))

    return asyncio.run(main())


def test_each_right_has_a_question_of_its_own() -> None:
    adapter = Asked(tests_orders=True)
    assert proven(adapter) == [Right(name, True, "taken") for name in ("read balances", "read orders", "order", "cancel")]
    assert adapter.questions == [("balances",), ("GET", "order", NAMED), ("test order",), ("DELETE", "order", NAMED)]


@pytest.mark.parametrize(
    ("refuses", "name"), [("balances", "read balances"), ("GET", "read orders"), ("test order", "order"), ("DELETE", "cancel")]
)
def test_a_right_that_is_refused_says_nothing_of_the_others(refuses: str, name: str) -> None:
    rights = {right.name: right.is_given for right in proven(Asked(True, refuses))}
    assert rights == {one: one != name for one in ("read balances", "read orders", "order", "cancel")}


def test_where_no_order_is_tested_the_first_one_shows_it() -> None:
    adapter = Asked(tests_orders=False)
    assert proven(adapter)[2] == Right("order", None, "the first order will show it: the venue tests none", can_be_proven=False)
    assert ("test order",) not in adapter.questions
