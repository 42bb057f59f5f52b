"""What the journal knows of an order: from its tables, by our id or the venue's; of archives, see ``tests/portfolio/test_archives.py``."""

from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.journal.events import OrderChanged
from arbtui.journal.known_orders import KnownOrder, known_order
from arbtui.journal.open_items import SentOrder, read_route, read_sent
from arbtui.model.order import OrderState
from tests.journal.synthetic import QTY, SyntheticRun
from tests.portfolio.recorded import record

#: What is known of a sale at Upbit, and of a purchase at Binance of which a third has filled so far.
SOLD = KnownOrder("r1-1-1", "r1-1", 1, QTY, QTY, OrderState.FILLED, "vr1-1-1", "")
OPEN = KnownOrder("r1-2-0", "r1-2", 0, QTY, QTY / 3, OrderState.PARTIALLY_FILLED, "77", "it rests")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file, run = tmp_path / "sim" / "journal.db", SyntheticRun()
    changed = OrderChanged(OPEN.client_order_id, OPEN.state, OPEN.venue_order_id, OPEN.filled_qty, OPEN.reason)
    record(file, run.start(), run.cycle(1), [*run.intents(2), changed])
    return file


@pytest.mark.parametrize("known", [SOLD, OPEN], ids=["sold", "open"])
def test_it_is_found_by_our_id_wherever_and_by_the_venue_s_own_there(path: Path, known: KnownOrder) -> None:
    exchange, other = ("upbit", "binance") if known is SOLD else ("binance", "upbit")
    for found in (
        known_order(path, exchange, known.client_order_id, ""),
        known_order(path, exchange, known.client_order_id, "another number"),
        known_order(path, exchange, "", known.venue_order_id),
    ):
        assert found == known
    assert not known.is_booked
    assert known_order(path, other, "", known.venue_order_id) is None, "another venue's number"
    assert known_order(path, exchange, "r1-1-", known.venue_order_id) is None, "an id that is told counts"
    assert known_order(path, exchange, "", "") is None


def test_its_fill_is_booked_or_not(path: Path) -> None:
    for client_id, venue_id in (("r1-1-1", ""), ("", "vr1-1-1")):
        for trade_id, booked in (("tr1-1-1", True), ("tr1-1-0", False), ("another", False), ("", False)):
            found = known_order(path, "upbit", client_id, venue_id, trade_id)
            assert found is not None
            assert (found.is_booked, found.filled_qty) == (booked, QTY)


def test_its_route_is_that_of_its_cycle(path: Path) -> None:
    assert read_route(path, "r1-1-1") == "ABC:binance>upbit"
    assert read_route(path, "r1-9-1") is None


def test_what_may_stand_at_a_venue_is_what_it_has_named_and_what_was_given_up_or_is_open(path: Path) -> None:
    assert read_sent(path, "upbit") == [SentOrder("KRW-ABC", "r1-1-1", "vr1-1-1"), SentOrder("KRW-ABC", "r1-2-1", "")]
    assert read_sent(path, "binance")[0] == SentOrder("ABCUSDT", "r1-2-0", "77")
    assert read_sent(path, "bithumb") == []


@pytest.mark.parametrize(
    ("reason", "is_told"), [("NOT_PLACED", True), ("TAKEN_OVER by ann: it filled", True), ("INSUFFICIENT_FUNDS", False)]
)
def test_an_order_that_was_refused_does_not_stand_but_one_that_was_not_found_may(tmp_path: Path, reason: str, is_told: bool) -> None:
    file, run = tmp_path / "sim" / "journal.db", SyntheticRun()
    intents = run.intents(1)
    ended = OrderChanged("r1-1-0", OrderState.REJECTED, "", Decimal(0), reason)
    record(file, run.start(), [*intents, ended])
    assert ("r1-1-0" in {sent.client_order_id for sent in read_sent(file, "binance")}) is is_told
