"""What becomes of a question that a venue answers, refuses, or leaves without an answer."""

import asyncio
import logging
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from arbtui.exchanges.answers import Answer, RequestFailed
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.queries import ARCHIVED, VenueQueries, unreadable
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.refusals import Meaning, Refusal, Retry, Scope
from arbtui.model.errors import RateLimited, VenueFailed, VenueRefused, WireError
from tests.exchanges.test_answers import ROWS, rows
from tests.marketdata.frames import HandClock

TABLE: Mapping[str, Refusal] = {
    **ROWS,
    "old": Refusal(Scope.ORDER, Meaning.ARCHIVED, Retry.NEVER, "long ago"),
}


class Client:
    """Answers what a test says, and notes what it was asked."""

    exchange = "binance"
    health = None

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.answers: list[Any] = []

    async def request(
        self, section: str, method: str, path: str, params: Mapping[str, Any] | None = None, *, lane: Lane, costs: Mapping[str, float]
    ) -> Any:
        self.asked.append((section, method, path, params, lane, costs))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cancels(self, method: str, path: str) -> bool:
        return (method, path) == ("DELETE", "order")


def refused(code: str, status: int = 400) -> RequestFailed:
    return RequestFailed(
        "binance", "x", Answer(status, code, "words", sent=True), lambda code, message: TABLE.get(code) or rows(code, message)
    )


class Venue:
    """Queries at such a client; what the venue's standing is told is noted."""

    def __init__(self) -> None:
        self.client = Client()
        self.queries = VenueQueries(cast(CcxtClient, self.client), HandClock(0.0))
        self.told: list[tuple[Any, ...]] = []
        self.queries.standing = cast(Any, SimpleNamespace(refused=self._note))

    def _note(self, error: RequestFailed, market: str = "", *, of_order: bool = False) -> None:
        self.told.append((error.answer.code, market, of_order))

    def query(self, section: str, answer: Any) -> Any:
        self.client.answers.append(answer)
        return asyncio.run(self.queries.query(section, "GET", "a", {"b": 1}, costs={"c": 1}, lane=Lane.HEDGE))

    def find(self, method: str, answer: Any) -> Any:
        self.client.answers.append(answer)
        return asyncio.run(self.queries.find(method, "order", {"b": 1}, costs={"c": 1}, lane=Lane.HEDGE))

    def view(self, answer: Any) -> Any:
        self.client.answers.append(answer)
        return asyncio.run(self.queries.viewed("a", {"b": "1"}, list[int]))


def test_a_query_gives_the_answer_as_it_came() -> None:
    venue = Venue()
    assert venue.query("private", [7]) == [7]
    assert venue.client.asked == [("private", "GET", "a", {"b": 1}, Lane.HEDGE, {"c": 1})]
    venue.client.answers.append([])
    asyncio.run(venue.queries.query("public", "GET", "a", costs={}))
    assert venue.client.asked[1] == ("public", "GET", "a", None, Lane.DATA, {})
    assert venue.told == []


def test_a_refused_query_is_told_to_the_venues_standing_unless_it_was_not_signed() -> None:
    venue = Venue()
    with pytest.raises(VenueRefused):
        venue.query("private", refused("key", 401))
    assert venue.told == [("key", "", False)]
    with pytest.raises(VenueFailed):
        venue.query("public", refused("symbol"))
    with pytest.raises(RateLimited):
        venue.query("private", RateLimited("no room", 1.0))
    assert len(venue.told) == 1


def test_what_is_not_there_is_none_and_what_is_long_gone_is_known_to_be() -> None:
    venue = Venue()
    assert venue.find("GET", {"a": 1}) == {"a": 1}
    assert venue.find("GET", refused("gone")) is None
    assert venue.find("GET", refused("old")) is ARCHIVED
    assert venue.told == []
    assert venue.client.asked[0] == ("private", "GET", "order", {"b": 1}, Lane.HEDGE, {"c": 1})


@pytest.mark.parametrize(("method", "of_order"), [("GET", False), ("DELETE", True)])
def test_another_refusal_of_a_look_up_is_told_with_whether_it_is_of_an_order(method: str, of_order: bool) -> None:
    venue = Venue()
    with pytest.raises(VenueFailed):
        venue.find(method, refused("order"))
    assert venue.told == [("order", "", of_order)]


@pytest.mark.parametrize("error", [refused("key", 401), RateLimited("no room", 1.0)], ids=str)
def test_what_is_asked_aside_says_nothing_of_the_venue(error: Exception) -> None:
    venue = Venue()
    venue.client.answers += [error, [7]]
    with pytest.raises(VenueFailed) as told:
        asyncio.run(venue.queries.ask_aside("private", "a", {"b": 1}, costs={"c": 1}))
    assert str(told.value) == f"binance: a is not known: {error}"
    assert asyncio.run(venue.queries.ask_aside("public", "a", costs={"c": 1})) == [7]
    assert [(section, method, lane, costs) for section, method, _, _, lane, costs in venue.client.asked] == [
        ("private", "GET", Lane.DATA, {"c": 1}),
        ("public", "GET", Lane.DATA, {"c": 1}),
    ]
    assert venue.told == []


def test_a_question_that_the_key_may_not_ask_is_a_warning_until_the_same_is_said_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "arbtui")
    venue = Venue()
    right, other = refused("key", 401), refused("account")
    for answer, given in (
        (right, None), (right, None), (other, None), (right, None), ([1], [1]), (right, None), ({"odd": 1}, None), ({"odd": 1}, None),
    ):  # fmt: skip
        assert venue.view(answer) == given
    W, I = logging.WARNING, logging.INFO  # noqa: E741
    assert [record.levelno for record in caplog.records] == [W, I, W, W, W, W, I]
    assert caplog.messages[0] == f"binance: a is not known: {right}"
    assert set(venue.client.asked[0][2:3]) == {"a"}
    assert venue.client.asked[0] == ("private", "GET", "a", {"b": "1"}, Lane.DATA, {"default": 1})


@pytest.mark.parametrize(
    ("pages", "rows_of", "asked"),
    [
        ([[]], [], [None]),
        ([["a"]], ["a"], [None]),
        ([["a", "b"], []], ["a", "b"], [None, "b"]),
        ([["a", "b"], ["c"]], ["a", "b", "c"], [None, "b"]),
        ([["a", "b"], ["b", "c"], ["d"]], ["a", "b", "c", "d"], [None, "b", "c"]),
        ([["a", "b"], ["a", "b"]], ["a", "b"], [None, "b"]),  # it leads in a circle
        ([["a", "b", "c"], ["d"]], ["a", "b", "c", "d"], [None, "c"]),  # more than it should have
    ],
)
def test_all_pages_of_a_list_each_row_once(pages: list[list[str]], rows_of: list[str], asked: list[str | None]) -> None:
    seen: list[str | None] = []

    async def page(after: str | None) -> list[str]:
        seen.append(after)
        return pages[len(seen) - 1]

    assert asyncio.run(Venue().queries.pages(page, lambda row: row, 2)) == rows_of
    assert seen == asked


def test_an_answer_that_cannot_be_read_is_a_failure_that_names_the_venue() -> None:
    venue = Venue()
    with pytest.raises(VenueFailed, match=r"^binance: an answer cannot be read: "):
        venue.queries.read_aside({"a": 1}, list[int], "a")
    assert venue.queries.read_aside([1], list[int], "a") == [1]
    assert str(unreadable("okx", WireError("a", "b"))) == f"okx: an answer cannot be read: {WireError('a', 'b')}"
