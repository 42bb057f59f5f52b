"""A venue's standing step by step: what stops it, in which words, when it is asked again, and what ends it."""

from collections.abc import Mapping
from math import inf

import pytest

from arbtui.exchanges.answers import Answer, RequestFailed
from arbtui.exchanges.config import HealthConfig
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.refusals import UNLISTED, Meaning, Refusal, Retry, Scope, of_account, of_key, of_symbol
from arbtui.exchanges.standing import SYMBOL_REST_S, Block, VenueStanding
from tests.marketdata.frames import HandClock

ROWS: Mapping[str, Refusal] = {
    "key": of_key("make a new key"),
    "address": of_key("list this machine", Scope.IP),
    "account": of_account("ask the venue"),
    "closed": Refusal(Scope.VENUE, Meaning.VENUE, Retry.PROBE, "wait"),
    "symbol": of_symbol("wait"),
}
NOW = 1000.0


class Stands:
    """A standing, its clock, and how often it said that it changed."""

    def __init__(self, *, watched: bool = True) -> None:
        self.clock = HandClock(NOW)
        self.health = ExchangeHealthMonitor("upbit", self.clock, HealthConfig()) if watched else None
        self.standing = VenueStanding("upbit", self.clock, self.health)
        self.changes = 0
        self.standing.on_change = self._changed

    def _changed(self) -> None:
        self.changes += 1

    def refuse(self, code: str, market: str = "", *, of_order: bool = True) -> None:
        failure = RequestFailed("upbit", "POST orders", Answer(400, code, "words", sent=True), lambda code, message: ROWS.get(code))
        self.standing.refused(failure, market, of_order=of_order)

    @property
    def block(self) -> Block:
        assert self.standing.block is not None
        return self.standing.block

    @property
    def words(self) -> str | None:
        assert self.health is not None
        return self.health._refusal


def failure_of(code: str) -> str:
    return f"upbit POST orders: {code} words (HTTP 400)"


@pytest.mark.parametrize(
    ("code", "name", "say"),
    [
        ("key", "API key", "make a new key"),
        ("address", "API key's address", "list this machine"),
        ("account", "account", "ask the venue"),
        ("closed", "trading", "wait"),
        ("of tomorrow", "account", UNLISTED.say),
    ],
)
def test_what_stops_a_venue_is_told_in_its_words_and_what_to_do(code: str, name: str, say: str) -> None:
    one = Stands()
    assert one.health is not None
    assert one.health.is_proven is False, "nothing was taken yet"
    one.health.is_proven = True
    one.refuse(code, "KRW-XRP")
    listed = code in ROWS
    assert one.block == Block(ROWS.get(code, UNLISTED), code, failure_of(code), True, NOW if listed else NOW + 5.0)
    assert (one.block.probes, one.block.is_trial, one.block.waits_for_person) == (0, False, False)
    assert one.words == f"it refuses our {name}: {failure_of(code)}; {say}; asked again"
    assert (one.changes, one.health.is_proven) == (1, False)
    assert one.standing.due_in() == (0.0 if listed else 5.0)
    one.clock.now += 60.0
    assert one.standing.due_in() == 0.0


def test_a_venue_without_a_health_stands_as_well() -> None:
    one = Stands(watched=False)
    assert (one.standing.block, one.standing.due_in(), one.standing.exchange) == (None, None, "upbit")
    one.refuse("of tomorrow", "KRW-XRP")
    one.standing.probed(True, "")
    assert one.standing.block is None
    one.refuse("key")
    one.standing.accepted("KRW-XRP")
    assert (one.standing.block, one.changes) == (None, 4)


def test_what_is_no_matter_of_the_account_stops_nothing() -> None:
    one = Stands()
    one.refuse("symbol", "KRW-XRP")
    one.refuse("of tomorrow", of_order=False)
    assert (one.standing.block, one.changes, one.standing._returns) == (None, 0, {})
    one.refuse("key", of_order=False)
    assert one.block.of_order is False
    one.refuse("account", "KRW-XRP", of_order=True)  # what was under way
    assert (one.block.code, one.block.of_order, one.changes) == ("key", True, 1)
    one.refuse("account", of_order=False)
    assert one.block.of_order is True


def test_nothing_ends_what_did_not_begin() -> None:
    one = Stands()
    assert one.health is not None
    one.standing.accepted("KRW-XRP")
    assert one.health.is_proven is True
    one.standing.probed(True, "x")
    one.standing.probe_failed()
    one.standing.keys_changed()
    one.standing.try_again()
    one.standing.release()
    assert (one.standing.block, one.changes) == (None, 0)


@pytest.mark.parametrize(
    ("code", "pauses"),
    [
        ("account", [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]),
        ("closed", [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]),
        ("key", [5.0, 10.0, 20.0, 30.0, 30.0]),
        ("address", [5.0, 10.0, 20.0, 30.0, 30.0]),
    ],
)
def test_probes_that_are_refused_come_ever_less_often(code: str, pauses: list[float]) -> None:
    one = Stands()
    one.refuse(code)
    for number, pause in enumerate(pauses, 1):
        one.standing.probed(False, "no")
        assert (one.standing.due_in(), one.block.probes, one.changes) == (pause, number, number + 1)
    for _ in range(3000):
        one.standing.probed(False, "no")  # however often
    assert one.standing.due_in() == pauses[-1]


def test_a_probe_without_an_answer_is_made_again_in_five_seconds() -> None:
    one = Stands()
    one.refuse("account")
    for _ in range(3):
        one.standing.probe_failed()
        assert (one.standing.due_in(), one.block.probes) == (5.0, 0)
    assert one.changes == 4


def test_a_probe_that_is_taken_ends_what_a_question_or_an_earlier_probe_has_shown(caplog: pytest.LogCaptureFixture) -> None:
    one = Stands()
    one.refuse("account", of_order=False)
    one.standing.probed(True, "its words")
    assert (one.standing.block, one.words, one.changes) == (None, None, 2)
    one.refuse("key", of_order=False)
    one.standing.probed(True, "", tested=False)
    assert one.standing.block is None
    one.refuse("account")
    one.standing.probed(False, "no")
    one.standing.probed(True, "")
    assert one.standing.block is None
    assert [line for line in caplog.messages if "again" in line] == [
        "upbit: orders may go there again: its words",
        "upbit: orders may go there again: it takes a test order",
        "upbit: orders may go there again: it takes a test order",
    ]
    assert caplog.messages[0] == (
        f"upbit: no entries there until it is over, the account is refused: {failure_of('account')}; ask the venue"
    )


@pytest.mark.parametrize("tested", [True, False])
def test_a_test_order_that_is_taken_at_the_first_probe_proves_nothing(tested: bool) -> None:
    one = Stands()
    for pause in (120.0, 300.0):
        one.refuse("account", "KRW-XRP")
        if not tested:
            one.standing.probed(False, "no")
        one.standing.probed(True, "x", tested=tested)
        assert (one.block.is_trial, one.standing.due_in()) == (True, pause)
        assert one.words is not None
        assert one.words.endswith("; a test order cannot tell, so it is tried again later")
        before = one.changes
        one.standing.probed(True, "x")
        one.standing.probed(False, "x")
        assert (one.standing.due_in(), one.changes) == (pause, before), "no probe can tell any more"
        one.standing.try_again()
        assert one.standing.block is None
    one.refuse("account", "KRW-XRP")
    assert (one.block.waits_for_person, one.block.due, one.standing.due_in()) == (True, inf, None)
    assert one.words == (
        f"it refuses our account: {failure_of('account')}; ask the venue; came back: acknowledge it in the Risk pane once it is dealt with"
    )
    one.standing.probed(True, "x")
    one.standing.try_again()
    assert one.block.waits_for_person


@pytest.mark.parametrize("ends", ["release", "accepted", "keys_changed"])
def test_what_ends_a_block_for_good_lets_its_returns_be_counted_anew(ends: str) -> None:
    one = Stands()
    for _ in range(2):
        one.refuse("key")
        one.standing.probed(False, "no")
        one.standing.probed(True, "")
    one.refuse("key")
    assert one.block.waits_for_person
    getattr(one.standing, ends)()
    assert one.standing.block is None
    one.refuse("key")
    assert not one.block.waits_for_person


def test_other_keys_end_what_the_key_or_its_address_was_refused_for_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    for code, ended in (("key", True), ("address", True), ("account", False), ("closed", False)):
        one = Stands()
        one.refuse(code)
        one.standing.keys_changed()
        assert (one.standing.block is None) is ended
    assert caplog.messages.count("upbit: orders may go there again: it takes the new key") == 2


def test_only_a_trial_is_tried_again() -> None:
    one = Stands()
    one.refuse("account")
    one.standing.try_again()
    assert one.block.code == "account"


def test_refusals_of_questions_are_not_counted() -> None:
    one = Stands()
    for _ in range(5):
        one.refuse("key", of_order=False)
        assert not one.block.waits_for_person
        one.standing.probed(True, "")


def test_a_code_of_tomorrow_is_of_its_markets_where_the_account_is_well(caplog: pytest.LogCaptureFixture) -> None:
    one = Stands()
    assert one.health is not None
    one.refuse("of tomorrow", "KRW-XRP")
    one.refuse("of tomorrow", "KRW-ADA")
    one.standing.accepted("KRW-XRP")  # it took an order of a market that was refused: it is over
    assert (one.standing.block, one.health.resting) == (None, {})
    one.refuse("of tomorrow", "KRW-XRP")
    one.refuse("of tomorrow", "KRW-ADA")
    one.standing.accepted("KRW-SOL")
    assert one.health.resting == {"KRW-XRP": NOW + SYMBOL_REST_S, "KRW-ADA": NOW + SYMBOL_REST_S}
    assert SYMBOL_REST_S == 3600.0
    assert caplog.messages[-1] == "upbit: orders may go there again: it takes a test order; KRW-XRP, KRW-ADA rests"
    assert caplog.messages[-2] == f"upbit: KRW-ADA rests for an hour: {failure_of('of tomorrow')}, while a test order is taken"
    one.clock.now += 60.0
    before = one.changes
    one.refuse("of tomorrow", "KRW-XRP")  # a cycle that was open completes its leg
    assert (one.standing.block, one.changes) == (None, before)
    assert one.health.resting["KRW-XRP"] == NOW + 60.0 + SYMBOL_REST_S
    one.refuse("account", "KRW-XRP")  # that is no matter of the market
    assert one.block.code == "account"


def test_a_code_of_tomorrow_without_a_market_is_over_with_a_test_order(caplog: pytest.LogCaptureFixture) -> None:
    one = Stands()
    one.refuse("of tomorrow")
    one.clock.now += 5.0
    one.standing.probed(True, "")
    assert one.standing.block is None
    assert caplog.messages[-1] == "upbit: orders may go there again: it takes a test order; no market rests"
