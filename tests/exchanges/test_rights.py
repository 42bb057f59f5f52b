"""What the answer to the smallest question says of a right of a key."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from arbtui.exchanges.answers import Answer, Meaning, RequestFailed
from arbtui.exchanges.refusals import Refusal, Retry, Scope
from arbtui.exchanges.rights import Right, prove_rights
from arbtui.model.errors import ArbtuiError, VenueFailed, VenueRefused

#: A venue's table: by code, whom the refusal concerns, what became of the request, and when it may be asked again.
TABLE = {
    "no-right": Refusal(Scope.KEY, Meaning.REFUSED, Retry.PROBE, "let the key do so"),
    "no-right-to-this": Refusal(Scope.ACCOUNT, Meaning.REFUSED, Retry.PROBE, "-"),
    "bad-key": Refusal(Scope.KEY, Meaning.KEYS, Retry.NEVER, "make a new key"),
    "no-account": Refusal(Scope.ACCOUNT, Meaning.ACCOUNT, Retry.NEVER, "see the venue"),
    "closed": Refusal(Scope.VENUE, Meaning.VENUE, Retry.LATER, "wait"),
    "unknown-order": Refusal(Scope.ORDER, Meaning.NOT_FOUND, Retry.NEVER, "-"),
    "too-many": Refusal(Scope.IP, Meaning.RATE_LIMITED, Retry.LATER, "wait"),
    "who-knows": Refusal(Scope.VENUE, Meaning.UNKNOWN, Retry.LATER, "wait"),
}


def failed(code: str, status: int | None = 400) -> RequestFailed:
    return RequestFailed("upbit", "order", Answer(status, code, "said", sent=True), lambda code, message: TABLE.get(code))


def proven(error: ArbtuiError | None, test_orders: bool = True) -> list[Right]:
    """The rights of a key at a venue that answers each question so."""

    async def answer(*_: object) -> None:
        if error is not None:
            raise error

    def unknown_order(market: str, client_order_id: str) -> Mapping[str, str]:
        assert (market, client_order_id) == ("KRW-XRP", "unused")
        return {}

    adapter = SimpleNamespace(
        any_market=lambda: "KRW-XRP",
        unused_id=lambda: "unused",
        unknown_order=unknown_order,
        fetch_balances=answer,
        ask=answer,
        test_order=answer,
        look_up=("GET", "order"),
        cancel_order=("DELETE", "order"),
        capabilities=SimpleNamespace(test_orders=test_orders),
    )
    return asyncio.run(cast(Any, prove_rights)(adapter))


@pytest.mark.parametrize(
    ("error", "is_given", "words"),
    [
        (None, True, "taken"),
        (failed("unknown-order"), True, "upbit order: unknown-order said (HTTP 400)"),
        (failed("no-right-to-this"), True, "upbit order: no-right-to-this said (HTTP 400)"),
        (failed("no-right"), False, "upbit order: no-right said (HTTP 400); let the key do so"),
        (failed("bad-key", 401), False, "upbit order: bad-key said (HTTP 401); make a new key"),
        (failed("no-account"), False, "upbit order: no-account said (HTTP 400); see the venue"),
        (failed("closed"), False, "upbit order: closed said (HTTP 400); wait"),
        (failed("too-many", 429), None, "upbit order: too-many said (HTTP 429)"),
        (failed("who-knows", 500), None, "upbit order: who-knows said (HTTP 500)"),
        (failed("not-in-the-table"), None, "upbit order: not-in-the-table said (HTTP 400)"),
        (failed("", None), None, "upbit order: said"),
        (VenueRefused("the key is gone"), False, "the key is gone"),
        (VenueFailed("no answer"), None, "no answer"),
        (ArbtuiError("what is that"), None, "what is that"),
    ],
    ids=lambda value: str(value) if isinstance(value, ArbtuiError) else "",
)
def test_what_an_answer_says_of_each_right(error: ArbtuiError | None, is_given: bool | None, words: str) -> None:
    names = ("read balances", "read orders", "order", "cancel")
    assert proven(error) == [Right(name, is_given, words) for name in names]
    state = {True: "proven", False: f"REFUSED ({words})", None: f"not known ({words})"}[is_given]
    assert [str(right) for right in proven(error)] == [f"right to {name}: {state}" for name in names]


def test_where_no_order_can_be_tested_the_first_one_shows_that_right() -> None:
    untested = proven(None, test_orders=False)[2]
    assert (untested.is_given, untested.can_be_proven) == (None, False)
    assert str(untested) == "right to order: the first order will show it: the venue tests none"
