"""Scenario `crash` under the whole engine: each kind of trouble happens, and each is met as promised."""

from pathlib import Path

import pytest

from arbtui.journal.events import OrderChanged, decode
from arbtui.model.book import BookState
from arbtui.model.reason import Reason
from arbtui.simulation.paths import TICK_S
from arbtui.simulation.troubles import Incident, Trouble
from tests.lifecycle.state import State, assert_venues_agree
from tests.runtime.watched import Watched, watch

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]  # virtual minutes, which a busy machine draws out

ROUNDS = 6
#: So many, and up to the end of the trouble that has begun by then: 15 s, then a slot every 20 s, a round for the seven kinds.
RUNTIME_S = 15 + ROUNDS * 7 * 20 - 1.0
#: Of the shipped profile in `sim`.
SILENCE_S, MESSAGE_AGE_S, BOOK_AGE_S, RATE_AGE_S = 1.5, 1.5, 5.0, 5.0
EXCESS_DELAY_MS = 1000.0
#: Between two looks at the streams, and at the books by this test.
GRAIN_S = 0.15
#: By then a thin market has sent something, and a lost snapshot has been asked for again.
BACK_S = 5.0
#: After these the rate's book, or the coins', was late.
RATE_TROUBLES = (Trouble.LAG, Trouble.MARKET_FROZEN, Trouble.VENUE_FROZEN, Trouble.VENUE_DEAD)
#: By then a coin that has spiked is within 75 bps of what all others imply, and has been for 10 s: it may be traded again.
DOUBT_S = 30.0


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Watched, State]:
    return watch(tmp_path_factory.mktemp("crash"), "crash", 8, RUNTIME_S, seed=3)


@pytest.fixture
def seen(run: tuple[Watched, State]) -> Watched:
    return run[0]


@pytest.fixture
def state(run: tuple[Watched, State]) -> State:
    return run[1]


def _of(seen: Watched, *kinds: Trouble) -> list[Incident]:
    found = [incident for incident in seen.incidents if incident.kind in kinds]
    assert len(found) >= ROUNDS - 1, "it happens in every round"
    return found


def _span(incident: Incident) -> tuple[float, float]:
    return incident.start / 100, incident.end / 100


def _symbol(incident: Incident) -> str:
    return incident.code.removeprefix("KRW-").removesuffix("USDT")


def _books_of(seen: Watched, exchange: str) -> list[tuple[str, str]]:
    return [key for key in seen.changes if key[0] == exchange]


def test_every_kind_happens_once_a_round_and_the_header_says_what_is_played(seen: Watched) -> None:
    assert seen.scenario == "crash"
    for number in range(ROUNDS):
        start, end = 1500 + number * 14_000, 1500 + (number + 1) * 14_000
        assert {incident.kind for incident in seen.incidents if start < incident.start <= end} == set(Trouble)


def test_no_cycle_opens_on_a_book_that_is_not_live_or_too_old_nor_on_a_silent_venue_nor_without_a_rate(seen: Watched) -> None:
    assert len(seen.decisions) > 100 * ROUNDS
    for decision in seen.decisions:
        assert decision.states == (BookState.LIVE, BookState.LIVE), decision
        assert max(decision.ages) <= BOOK_AGE_S, decision
        assert max(decision.silences) <= MESSAGE_AGE_S, decision
        assert decision.rate_age <= RATE_AGE_S, decision


def test_a_lost_depth_event_is_noticed_and_the_book_is_whole_again_in_a_moment(seen: Watched) -> None:
    for incident in _of(seen, Trouble.GAP):
        start, _ = _span(incident)
        states = seen.states("binance", incident.code, start, start + BACK_S)
        assert BookState.GAPPED in states, incident
        assert states[-1] is BookState.LIVE, incident
    assert seen.gaps == seen.resyncs >= ROUNDS - 1


def test_a_venue_that_sends_nothing_is_stale_in_a_second_or_two_and_comes_back_by_itself(seen: Watched) -> None:
    for incident in _of(seen, Trouble.VENUE_FROZEN, Trouble.VENUE_DEAD):
        start, end = _span(incident)
        for key in _books_of(seen, incident.exchange):
            noticed = start + SILENCE_S + GRAIN_S
            assert seen.states(*key, noticed, end - 0.01) == [BookState.STALE], (incident, key)
            assert seen.states(*key, end, end + BACK_S)[-1] is BookState.LIVE, (incident, key)
        opened = [d for d in seen.decisions if start + MESSAGE_AGE_S < d.at < end]
        assert opened == [], incident
    assert {("STREAM_SILENT", "upbit"), ("STREAM_SILENT", "binance")} <= set(seen.breaches)


def test_streams_that_come_late_are_not_traded_on(seen: Watched) -> None:
    """From the moment on at which they are later than the limit, by as much as a delivery and what one message says."""
    at_once = [incident for incident in _of(seen, Trouble.LAG) if not incident.detail.startswith("up to")]
    over = [incident for incident in at_once if float(incident.detail.split()[0]) > EXCESS_DELAY_MS + 100]
    assert over
    for incident in over:
        start, end = _span(incident)
        late_s = float(incident.detail.split()[0]) / 1000
        opened = [decision for decision in seen.decisions if start + late_s + GRAIN_S < decision.at < end]
        assert opened == [], incident
    assert seen.denials[Reason.EXCESS_DELAY] > 0


def test_a_frozen_market_is_left_alone_once_its_book_is_too_old_while_the_others_go_on(seen: Watched) -> None:
    others = 0
    for incident in _of(seen, Trouble.MARKET_FROZEN):
        start, end = _span(incident)
        symbol = incident.code.removeprefix("KRW-").removesuffix("USDT")
        # A tick less at both ends: its last frame may come with the frost, and its next with the thaw.
        while_old = [d for d in seen.decisions if start + BOOK_AGE_S + TICK_S < d.at < end - TICK_S]
        if incident.code == "KRW-USDT":
            assert while_old == [], "no rate, no trade"
            continue
        assert symbol not in {d.symbol for d in while_old}, incident
        others += len(while_old)
        assert seen.states(incident.exchange, incident.code, end, end + BACK_S)[-1] is BookState.LIVE
    assert others > 0
    assert seen.denials[Reason.BOOK_AGE] > 0
    assert any(incident.code == "KRW-USDT" for incident in _of(seen, Trouble.MARKET_FROZEN))


def test_a_halted_market_takes_no_order_and_its_cycles_still_end_flat(seen: Watched, state: State) -> None:
    refused = state.rows("SELECT * FROM venue_order WHERE reason LIKE 'MARKET_HALTED%'", path=state.venue)
    halts = _of(seen, Trouble.HALT)
    assert refused
    assert {row["market"] for row in refused} <= {incident.code for incident in halts}
    assert {row["filled_qty"] for row in refused} == {"0"}
    for incident in halts:
        start, end = _span(incident)
        during = [at for at, _ in seen.mids[incident.exchange, incident.code] if start + 2.5 < at < end]
        assert bool(during) != ("empty" in incident.detail), "an empty book has no middle"
        assert seen.states(incident.exchange, incident.code, end, end + BACK_S)[-1] is BookState.LIVE
    assert {"HEDGED", "UNWOUND"} <= {row["state"] for row in state.rows("SELECT state FROM cycle")}


def test_a_spike_is_seen_and_what_is_too_good_is_not_believed(seen: Watched) -> None:
    for incident in _of(seen, Trouble.SPIKE):
        start, end = _span(incident)
        mids = seen.mids[incident.exchange, incident.code]
        before = [mid for at, mid in mids if at <= start][-1]
        during = [mid for at, mid in mids if start < at < end]
        after = next(mid for at, mid in mids if at > end + 1.0)
        assert max(abs(mid / before - 1) for mid in during) > 0.015, incident
        assert abs(after / before - 1) < 0.012, incident
        symbol = _symbol(incident)
        assert (Reason.COIN_DOUBTED, symbol) in seen.breaches
        doubted = {at for at, why in seen.refusals if why.get(f"{symbol}:binance>upbit") is Reason.COIN_DOUBTED}
        assert [at for at in doubted if start < at < end + BACK_S]
        assert not [d for d in seen.decisions if d.symbol == symbol and any(at < d.at < at + 1.0 and at + 1.0 in doubted for at in doubted)]


def test_orders_met_by_an_outage_are_unknown_until_they_are_found_or_proved_absent(seen: Watched, state: State) -> None:
    rows = state.rows("SELECT type, version, payload FROM event WHERE type = 'OrderChanged'")
    changes = [decode(row["type"], row["version"], row["payload"]) for row in rows]
    unknown = {one.client_order_id for one in changes if isinstance(one, OrderChanged) and one.state == "UNKNOWN"}
    assert len(unknown) > 3
    ended = {row["client_order_id"]: row for row in state.rows("SELECT * FROM order_")}
    fates = {(ended[key]["state"], ended[key]["reason"]) for key in unknown}
    assert ("REJECTED", "NOT_PLACED") in fates
    assert any(fate == "FILLED" for fate, _ in fates), "its answer was lost, not the order"
    placed = {row["client_order_id"] for row in state.rows("SELECT client_order_id FROM venue_order", path=state.venue)}
    assert not [key for key in unknown if ended[key]["reason"] == "NOT_PLACED" and key in placed]


def test_between_two_troubles_every_route_may_trade(seen: Watched) -> None:
    """But a coin that parts from all others for a moment, as it may in such a market: one in a hundred looks at a route, at most."""
    quiet = doubted = 0
    for at, refused in seen.refusals:
        if at > 15 and not [i for i in seen.incidents if i.start / 100 - 1 < at < i.end / 100 + BACK_S]:
            quiet += 1
            unsure = {_symbol(i) for i in _of(seen, Trouble.SPIKE) if 0 < at - i.end / 100 < DOUBT_S}
            why = {(route.partition(":")[0], reason) for route, reason in refused.items()}
            late = [i for i in _of(seen, *RATE_TROUBLES) if i.code in ("", "KRW-USDT")]
            if any(0 < at - i.end / 100 < DOUBT_S for i in late):  # the rate has jumped, or differed from the coins meanwhile
                why = {(symbol, reason) for symbol, reason in why if reason not in (Reason.RATE_DOUBTED, Reason.COIN_DOUBTED)}
            why -= {(symbol, Reason.COIN_DOUBTED) for symbol in unsure}
            doubted += sum(reason is Reason.COIN_DOUBTED for _, reason in why)
            assert {reason for _, reason in why} <= {Reason.COIN_DOUBTED}, at
    assert quiet > 100
    assert doubted <= quiet * 8 / 100


def test_it_ends_clean_and_every_unit_is_accounted_for(seen: Watched, state: State) -> None:
    assert seen.code == 0
    states = assert_venues_agree(state)
    assert set(states) <= {"HEDGED", "UNWOUND", "RESIDUAL", "MISSED"}
    assert states["HEDGED"] > 1000


def test_calm_hardly_trades_and_nothing_is_wrong_with_it(tmp_path: Path) -> None:
    seen, state = watch(tmp_path, "calm", 20, 600.0)
    assert (seen.code, seen.scenario, seen.incidents, seen.breaches) == (0, "calm", [], [])
    assert state.count("cycle") < 20
