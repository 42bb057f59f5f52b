"""Orders in docs/faults.md, F01 to F08: answers that do not come, come late, or say nothing.

Each runs the whole live session against the sandbox; `agree` holds every invariant: no order twice, no fill lost or
invented, balances equal to the last digit, every cycle at its end.
"""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.ccxt_adapter import ABSENCE_PROOF_S
from arbtui.exchanges.signing import RECV_WINDOW_MS
from arbtui.journal.events import CycleState
from arbtui.model.tip_file import tip_file
from arbtui.portfolio.trading_state import TradingState
from arbtui.sandbox.faults import WireFault, WireFaultKind
from arbtui.settings.load import ProfileError, load_profile
from arbtui.simulation.played_venue import DEFAULT_VENUES as VENUES
from tests.faults.desk import ABSENCE_S, Desk, desk, play

K = WireFaultKind


def deaf(d: Desk) -> list[WireFault]:
    """Nothing comes over the private streams any more, which stay open."""
    return [d.fault(venue, K.FREEZE, stream="private") for venue in VENUES]


def took_ms(order: dict[str, Any]) -> float:
    """Ms from an order's intent to its last change."""
    changed, intended = (datetime.fromisoformat(order[name]) for name in ("changed", "intended"))
    return (changed - intended).total_seconds() * 1000


def test_f01_an_order_that_was_taken_and_never_answered_is_found_by_its_client_id(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            deaf(d)
            await d.met(*(d.fault(venue, K.TIMEOUT, count=2) for venue in VENUES), times=2)
            await d.healthy()
            await d.agree()
            found = d.unknown()
            assert len(found) >= 4
            assert {row["state"] for row in found.values()} <= {"FILLED", "EXPIRED"}
            assert {row["exchange"] for row in found.values()} == set(VENUES)

    play(main)


def test_f02_an_order_that_filled_while_its_answer_was_lost_is_found_though_no_order_is_open(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            deaf(d)
            await d.met(*(d.fault(venue, K.RESET_AFTER, count=3) for venue in VENUES), times=3)
            assert all(venue.account.log.open_orders() == [] for venue in d.box.venues.values())
            await d.healthy()
            await d.agree()
            filled = [one for one, row in d.unknown().items() if row["state"] == "FILLED"]
            assert filled
            assert all(d.sources(one) == {"answer"} for one in filled)

    play(main)


def test_f03_an_order_whose_connection_broke_before_it_came_is_absent_only_after_the_proof(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            await d.met(*(d.fault(venue, K.RESET_BEFORE) for venue in VENUES))
            await d.settle()
            absent = [row for row in d.unknown().values() if row["reason"] == "NOT_PLACED"]
            assert len(absent) == 2
            assert all(row["state"] == "REJECTED" and took_ms(row) >= ABSENCE_S * 1000 for row in absent)
            d.engine.operator.toggle_pause()
            await d.healthy()
            await d.agree()

    play(main)


def test_f04_an_order_that_comes_to_be_8_s_late_is_found_and_counts_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, absence_s=ABSENCE_PROOF_S) as d:
            deaf(d)
            after_ms = {"upbit": 8000, "binance": RECV_WINDOW_MS - 1000}  # later than its window, Binance itself refuses it
            await d.met(*(d.fault(venue, K.LATE, ms=ms) for venue, ms in after_ms.items()))
            await d.settle()
            late = d.unknown()
            assert len(late) == 2
            for row in late.values():
                assert row["state"] in ("FILLED", "EXPIRED")
                assert took_ms(row) >= after_ms[row["exchange"]]
            d.engine.operator.toggle_pause()
            await d.healthy()
            await d.agree()

    play(main)


def test_f04_an_order_that_fills_after_its_absence_was_proved_is_booked_and_a_person_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            await d.settle()
            made = d.rest_next("upbit", crossing=True)  # at a price that it fills at, whenever it comes
            d.fault("upbit", K.LATE, ms=int(ABSENCE_S * 1000) + 3000)  # Upbit has no window at all
            d.engine.operator.toggle_pause()
            lost = await d.lost()
            assert [order.client_order_id for order in made] == [lost]
            await d.until(lambda: bool(d.breaches("LATE_FILL")), "the late fill is told")
            await d.agree()
            assert d.unknown()[lost]["state"] == "FILLED"
            assert {row["state"] for row in d.ledger()["cycles"]} >= {"RESIDUAL"}
            assert await d.stop() == 3  # something is left for a person

    play(main)


BEFORE: list[dict[str, Any]] = [{"kind": K.ERROR_BEFORE, "status": status} for status in (500, 502, 503)]
AFTER: list[dict[str, Any]] = [{"kind": K.ERROR_AFTER, "status": status} for status in (500, 502, 503)] + [
    {"kind": kind} for kind in (K.HTML, K.TRUNCATED, K.EMPTY)
]


def test_f05_an_answer_that_says_nothing_leaves_the_order_unknown_and_never_rejected(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            deaf(d)  # else the stream tells an order's end before its answer is read
            for told in BEFORE + AFTER:
                await d.met(*(d.fault(venue, **told) for venue in VENUES))
            await d.healthy()
            await d.agree()
            orders = d.ledger()["orders"]
            refused = [row for row in orders if row["state"] == "REJECTED"]
            assert {row["reason"] for row in refused} == {"NOT_PLACED"}
            assert len(refused) == len(BEFORE) * len(VENUES)
            assert len(d.unknown()) == len(BEFORE + AFTER) * len(VENUES)

    play(main)


@pytest.mark.parametrize("where", ["options", "execution", "env"])
def test_f06_no_setting_can_make_an_order_be_sent_again(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {"exchanges": {"binance": {"options": {"maxRetriesOnFailure": 3}}}}
    if where == "execution":
        told = {"execution": {"max_retries_on_failure": 3}}
    if where == "env":
        told = {}
        monkeypatch.setenv("ARBTUI_EXECUTION__MAX_RETRIES_ON_FAILURE", "3")
    with pytest.raises(ProfileError):
        load_profile("upbit-binance", told)


def test_f06_an_order_leaves_once_even_when_ccxt_is_told_to_retry(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            for adapter in d.venues.adapters.values():
                instance = adapter._client._ccxt  # type: ignore[attr-defined]
                instance.options |= {"maxRetriesOnFailure": 3, "maxRetriesOnFailureDelay": 1}
                instance.maxRetriesOnFailure = 3
            for kind in (K.TIMEOUT, K.RESET_AFTER, K.ERROR_AFTER, K.ERROR_BEFORE):
                await d.met(*(d.fault(venue, kind) for venue in VENUES))
            await d.healthy()
            await d.agree()
            assert set(d.posts.values()) == {1}

    play(main)


def test_f07_a_fill_that_the_stream_tells_ends_the_wait_for_the_answer(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, settings={"execution": {"leg_deadline_ms": 30_000}}) as d:
            faults = [d.fault(venue, K.TIMEOUT) for venue in VENUES]
            await d.met(*faults)
            await d.cycles(2, CycleState.HEDGED)
            await d.healthy()
            await d.agree()  # long before 30 s are over: nobody waited for them
            assert d.unknown() == {}
            assert all(took_ms(row) < 20_000 for row in d.ledger()["orders"])

    play(main)


def test_f08_a_client_id_that_the_venue_knows_already_proves_that_the_order_came(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            deaf(d)
            await d.met(*(d.fault(venue, K.DUPLICATE_ID, count=2) for venue in VENUES), times=2)
            await d.healthy()
            await d.agree()
            found = d.unknown()
            assert len(found) == 4
            assert {row["state"] for row in found.values()} <= {"FILLED", "EXPIRED"}
            assert d.breaches("ORDER_UNKNOWN")

    play(main)


def test_f09_no_client_id_is_used_again_after_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            for _ in range(3):
                await d.cycles(2)
                await d.settle()
                assert await d.stop() == 0
                await d.start()
                d.resume()
            await d.cycles(1)
            await d.agree()  # every id was posted once, and is in one run's ledger only
            assert {row["run_id"] for row in d.ledger()["orders"]} == {"r1", "r2", "r3", "r4"}

    play(main)


def test_f09_no_client_id_is_used_again_on_a_journal_that_was_put_back_from_a_copy(tmp_path: Path) -> None:
    """What the copy never heard of is in the venue's word only: it becomes adjustments that a person confirms, not cycles."""

    async def main() -> None:
        async with desk(tmp_path) as d:
            journal, copy = d.folder / "live" / "journal.db", tmp_path / "copy.db"
            await d.cycles(2)
            await d.settle()
            await d.stop()
            shutil.copy(journal, copy)
            await d.start()
            d.resume()
            await d.cycles(3)
            await d.settle()
            await d.stop()
            before = set(d.posts)
            shutil.copy(copy, journal)
            tip_file(journal).unlink()  # without that it is refused as an older copy
            await d.start()
            assert d.engine.state is TradingState.DISARMED  # the balances are not what that journal held: a person looks first
            assert d.engine.operator.rearm("upbit-binance", "the copy was put back on purpose", d.engine.components.halt.kills) is None
            disputes = [(name, asset) for name, assets in d.engine.portfolio.state.disputes.items() for asset in assets]
            assert {asset for _, asset in disputes} >= {"KRW", "USDT"}
            for exchange, asset in disputes:  # nothing is entered with what is in dispute, until somebody takes the venue's word
                assert d.engine.operator.adjust(exchange, asset, "upbit-binance", "traded since the copy was made") is None
            await d.cycles(3)
            await d.settle()
            after = {(row["exchange"], row["client_order_id"]) for row in d.ledger()["orders"] if row["run_id"] == "r2"}
            assert after
            assert not after & before
            assert set(d.posts.values()) == {1}
            assert d.ledger()["adjustments"]
            d.balances_agree()

    play(main)


def test_f15_an_answer_without_values_is_no_answer_and_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            deaf(d)
            await d.met(*(d.fault(venue, K.NULLS, count=2) for venue in VENUES), times=2)
            await d.healthy()
            await d.agree()
            assert len(d.unknown()) == 4
            assert {breach.scope for breach in d.breaches("ORDER_UNKNOWN")} == set(VENUES)

    play(main)
