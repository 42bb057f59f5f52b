"""What is told of orders whose fate is not known: a warning while proofs are gathered, critical when that lasts."""

from pathlib import Path

import pytest

from arbtui.engine.unresolved import UnresolvedOrders
from arbtui.failover.reconciler import Unresolved
from arbtui.model.virtual_loop import run_virtual
from arbtui.risk.breach import Severity
from tests.execution.world import world


def order(number: int, scope: str = "upbit:KRW-XRP", *, disarms: bool = False) -> Unresolved:
    return Unresolved(f"a{number}", "r1-1", scope, "not found", "looked up", disarms)


def test_a_warning_becomes_critical_once_and_goes_when_the_last_of_its_market_is_known(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            now = [0.0]
            book = w.engine.breaches

            class Clock:
                def monotonic(self) -> float:
                    return now[0]

            told = UnresolvedOrders(book, Clock(), 30.0)  # type: ignore[arg-type]

            def open_() -> list[Severity]:
                return [one.severity for one in book.breaches.values() if one.id not in book.acknowledged]

            told.tell([order(1), order(2)])
            assert open_() == [Severity.WARN, Severity.WARN]
            now[0] = 29.9
            told.tell([order(1), order(2)])
            assert open_() == [Severity.WARN, Severity.WARN], "told once"
            now[0] = 30.0
            told.tell([order(1), order(2)])
            told.tell([order(1), order(2)])
            assert open_() == [Severity.WARN, Severity.WARN, Severity.CRIT, Severity.CRIT], "louder, once"
            told.tell([order(2)])
            assert len(open_()) == 4, "its market is still blocked"
            told.tell([])
            assert open_() == []

    run_virtual(main())


@pytest.mark.parametrize("disarms", [True, False])
def test_what_no_run_could_ever_know_is_critical_at_once(tmp_path: Path, disarms: bool) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            told = UnresolvedOrders(w.engine.breaches, w.clock, 30.0)
            told.tell([order(1, disarms=disarms)])
            assert [one.severity for one in w.engine.breaches.breaches.values()] == [Severity.CRIT if disarms else Severity.WARN]

    run_virtual(main())
