"""Every documented refusal of a venue has a row that says whom it concerns, and what the venue's standing makes of it."""

import re
import tarfile
from pathlib import Path

import pytest

from arbtui.exchanges.answers import Answer, RequestFailed, refusal_of
from arbtui.exchanges.binance import refusals as binance
from arbtui.exchanges.config import HealthConfig
from arbtui.exchanges.health import ExchangeHealthMonitor, Health
from arbtui.exchanges.refusals import Meaning, Retry, Scope
from arbtui.exchanges.standing import FIRST_PROBE_S, SYMBOL_REST_S, TRIAL_S, VenueStanding
from arbtui.exchanges.upbit import refusals as upbit
from tests.marketdata.frames import HandClock

TABLES = {"upbit": upbit.refusal, "binance": binance.refusal}
DOCUMENTED = Path(__file__).parent / "documented"


def listed(name: str) -> list[str]:
    lines = (DOCUMENTED / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_every_code_of_binances_list_has_a_row() -> None:
    codes = [line.split()[0] for line in listed("binance_codes.txt")]
    assert len(codes) > 100
    assert [code for code in codes if code not in binance.CODES] == []


def test_every_message_of_binances_many_worded_codes_has_a_row() -> None:
    messages = listed("binance_messages.txt")
    assert len(messages) > 50
    rows = {message: binance.refusal("-2010", message) for message in messages}
    assert [message for message, row in rows.items() if row is None or not row.is_listed] == []


def test_every_name_of_upbits_documents_has_a_row() -> None:
    assert [name for name in listed("upbit_names.txt") if name not in upbit.NAMES] == []


def test_every_error_of_the_recorded_answers_has_a_row(shared_data: Path) -> None:
    found: dict[str, set[str]] = {"binance": set(), "upbit": set()}
    for venue, archive in (("binance", "jkorf-Binance.Net.tar.gz"), ("upbit", "jkorf-Upbit.Net.tar.gz")):
        with tarfile.open(shared_data / "fixtures" / archive) as files:
            for member in files.getmembers():
                file = files.extractfile(member)
                text = "" if file is None or ("Spot" not in member.name and venue == "binance") else file.read().decode("utf-8", "replace")
                found[venue] |= set(re.findall(r'"code"\s*:\s*"?(-\d{4})', text))
                found[venue] |= set(re.findall(r'"error"\s*:\s*\{[^}]*"name"\s*:\s*"?([A-Za-z0-9_]+)', text))
    assert [code for code in found["binance"] if code not in binance.CODES] == []
    assert [name for name in found["upbit"] if name not in upbit.NAMES] == []


@pytest.mark.parametrize(
    ("exchange", "status", "code", "message", "scope", "meaning"),
    [
        ("binance", 400, "-2010", "This action is disabled on this account.", Scope.ACCOUNT, Meaning.ACCOUNT),
        ("binance", 400, "-2011", "This account may not place or cancel orders.", Scope.ACCOUNT, Meaning.ACCOUNT),
        ("binance", 400, "-2010", "Market is closed.", Scope.SYMBOL, Meaning.REFUSED),
        ("binance", 400, "-2010", "This symbol is not permitted for this account.", Scope.SYMBOL, Meaning.REFUSED),
        ("binance", 400, "-2010", "Duplicate order sent.", Scope.EARLIER_COPY, Meaning.UNKNOWN),
        ("binance", 400, "-2011", "Unknown order sent.", Scope.ORDER, Meaning.NOT_FOUND),
        ("binance", 400, "-2026", "Order was canceled or expired with no executed qty over 90 days ago", Scope.ORDER, Meaning.ARCHIVED),
        ("binance", 400, "-1013", "Filter failure: EXCHANGE_MAX_NUM_ORDERS", Scope.ACCOUNT, Meaning.ACCOUNT),
        ("binance", 400, "-1013", "Filter failure: A_FILTER_OF_TOMORROW", Scope.SYMBOL, Meaning.REFUSED),
        ("binance", 400, "-2010", "Rest API trading is not enabled.", Scope.VENUE, Meaning.VENUE),
        ("binance", 400, "-2010", "Words of tomorrow.", Scope.ACCOUNT, Meaning.REFUSED),
        ("binance", 400, "-2999", "A code of tomorrow.", Scope.ACCOUNT, Meaning.UNKNOWN),
        ("binance", 429, "-1015", "Too many new orders.", Scope.ACCOUNT, Meaning.RATE_LIMITED),
        ("binance", 418, "-1003", "IP banned until 1659146400000.", Scope.IP, Meaning.RATE_LIMITED),
        ("binance", 503, "-2010", "This action is disabled on this account.", Scope.VENUE, Meaning.UNKNOWN),
        ("upbit", 401, "nonce_used", "", Scope.EARLIER_COPY, Meaning.UNKNOWN),
        ("upbit", 400, "invalid_parameter", "identifier 는 이미 사용되었습니다.", Scope.EARLIER_COPY, Meaning.UNKNOWN),
        ("upbit", 403, "out_of_scope", "", Scope.KEY, Meaning.KEYS),
        ("upbit", 401, "no_authorization_i_p", "", Scope.IP, Meaning.KEYS),
        ("upbit", 401, "a_name_of_tomorrow", "", Scope.KEY, Meaning.UNKNOWN),
        ("upbit", 403, "a_name_of_tomorrow", "", Scope.KEY, Meaning.UNKNOWN),
        ("upbit", 404, "a_name_of_tomorrow", "", Scope.ACCOUNT, Meaning.UNKNOWN),
        ("upbit", 400, "a_name_of_tomorrow", "", Scope.ACCOUNT, Meaning.UNKNOWN),
        ("upbit", 400, "a_name_of_tomorrow", "identifier 중복", Scope.EARLIER_COPY, Meaning.UNKNOWN),
        ("upbit", 400, "cross_trading", "identifier 중복", Scope.ORDER, Meaning.REFUSED),
        ("upbit", 400, "two_factor_auth_required", "", Scope.ACCOUNT, Meaning.ACCOUNT),
        ("upbit", 400, "thirdparty_agreement_required", "", Scope.SYMBOL, Meaning.REFUSED),
    ],
)
def test_whom_a_refusal_concerns(exchange: str, status: int, code: str, message: str, scope: Scope, meaning: Meaning) -> None:
    row = refusal_of(Answer(status, code, message, sent=True), TABLES[exchange])
    assert (row.scope, row.meaning) == (scope, meaning)
    assert row.say
    assert row.stops_entries is (row.retry is Retry.PROBE)


class Stands:
    """A venue's standing, its health, and a clock that a test turns."""

    def __init__(self, exchange: str = "binance") -> None:
        self.clock = HandClock(1000.0)
        self.health = ExchangeHealthMonitor(exchange, self.clock, HealthConfig())
        self.health.on_message(self.clock.now)
        self.standing = VenueStanding(exchange, self.clock, self.health)

    def refuse(self, code: str, message: str = "", market: str = "XRPUSDT", status: int = 400, *, of_order: bool = True) -> None:
        answer = Answer(status, code, message, sent=True)
        failure = RequestFailed(self.standing.exchange, "POST order", answer, TABLES[self.standing.exchange])
        self.standing.refused(failure, market, of_order=of_order)

    def is_open(self) -> bool:
        """Whether entries may go there."""
        self.health.on_message(self.clock.now)
        return not self.health.is_refused

    def wait(self, seconds: float) -> None:
        self.clock.now += seconds


DISABLED = "This action is disabled on this account."


def test_a_refused_account_stops_the_venue_at_once_until_a_probe_that_can_tell_is_taken() -> None:
    one = Stands()
    one.refuse("-2010", DISABLED)
    assert not one.is_open()
    assert one.health.state(one.clock.now) is Health.DOWN
    assert DISABLED in one.health.why(one.clock.now)
    assert one.standing.due_in() == 0.0  # asked at once: a probe that is refused too can tell when it is over
    pauses = []
    for _ in range(9):
        one.standing.probed(False, "refused")
        due = one.standing.due_in()
        assert due is not None
        pauses.append(due)
        one.wait(due)
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    one.standing.probed(True, "")
    assert one.is_open()


def test_a_venue_that_tests_no_orders_is_tried_again_with_a_real_one_after_a_pause() -> None:
    one = Stands()
    one.refuse("-2010", DISABLED)
    one.standing.probed(False, "refused")
    one.wait(5)
    one.standing.probed(True, "its key is taken", tested=False)
    assert not one.is_open()
    assert one.standing.due_in() == TRIAL_S[0]
    one.wait(TRIAL_S[0])
    one.standing.try_again()
    assert one.is_open()


def test_a_test_order_that_is_taken_while_real_ones_are_refused_proves_nothing() -> None:
    one = Stands()
    for pause in TRIAL_S:
        one.refuse("-2010", DISABLED)
        one.standing.probed(True, "")
        assert not one.is_open()
        assert one.standing.due_in() == pause
        one.wait(pause)
        one.standing.try_again()
        assert one.is_open()
    one.refuse("-2010", DISABLED, "SOLUSDT")
    assert one.standing.due_in() is None, "the third waits for a person"
    assert "acknowledge" in one.health.why(one.clock.now)
    one.standing.probed(True, "")
    one.standing.try_again()
    assert not one.is_open()
    one.health.on_release()
    assert one.is_open()


def test_an_order_that_is_taken_ends_it_whatever_the_probes_say() -> None:
    one = Stands()
    one.refuse("-2010", DISABLED)
    one.standing.probed(False, "refused")
    one.standing.accepted("SOLUSDT")
    assert one.is_open()
    assert one.standing.due_in() is None


def test_a_code_that_no_table_has_stops_the_account_and_narrows_to_its_market_when_a_probe_is_taken() -> None:
    one = Stands()
    one.refuse("-2999", "of tomorrow")
    assert not one.is_open()
    assert one.standing.due_in() == FIRST_PROBE_S
    one.wait(FIRST_PROBE_S)
    one.standing.probed(True, "")
    assert one.is_open()
    assert one.health.rests("XRPUSDT", one.clock.now)
    assert not one.health.rests("SOLUSDT", one.clock.now)
    one.wait(SYMBOL_REST_S + 1)
    assert not one.health.rests("XRPUSDT", one.clock.now)
    one.refuse("-2999", "of tomorrow", "SOLUSDT")
    one.standing.probed(True, "")
    assert one.is_open()
    one.refuse("-2999", "of tomorrow", "DOGEUSDT")
    assert one.standing.due_in() is None, "the third waits for a person"


def test_orders_of_other_markets_that_are_taken_narrow_it_as_a_probe_does() -> None:
    one = Stands("upbit")
    one.refuse("a_name_of_tomorrow", market="KRW-XRP")
    one.standing.accepted("KRW-SOL")
    assert one.is_open()
    assert one.health.rests("KRW-XRP", one.clock.now)


@pytest.mark.parametrize(
    ("exchange", "code", "message", "of_order"),
    [
        ("upbit", "nonce_used", "", True),  # an earlier copy: no word about the key
        ("upbit", "duplicated_identifier", "", True),
        ("binance", "-2010", "Duplicate order sent.", True),
        ("binance", "-2010", "Market is closed.", True),  # the market's
        ("binance", "-1013", "Filter failure: LOT_SIZE", True),
        ("binance", "-2010", "Account has insufficient balance for requested action.", True),  # the order's
        ("upbit", "a_name_of_tomorrow", "", False),  # an odd answer to a question
        ("binance", "-1007", "Timeout", True),
    ],
)
def test_what_is_no_matter_of_key_or_account_stops_nothing(exchange: str, code: str, message: str, of_order: bool) -> None:
    one = Stands(exchange)
    one.refuse(code, message, of_order=of_order)
    assert one.is_open()


def test_a_key_that_a_question_showed_to_be_refused_is_back_when_the_venue_takes_it_or_another_one() -> None:
    one = Stands("upbit")
    one.refuse("invalid_access_key", status=401, of_order=False)
    assert not one.is_open()
    one.standing.probed(True, "is taken")
    assert one.is_open()
    one.refuse("out_of_scope", status=403)
    one.standing.probed(True, "")  # the test order is taken, the order was not
    assert not one.is_open()
    one.standing.keys_changed()
    assert one.is_open()
