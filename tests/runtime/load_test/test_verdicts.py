"""Each verdict passes on a healthy load test, and FAILS on each fault that it is there for."""

from collections.abc import Callable, Sequence

import pytest

from arbtui.runtime.load_test.rows import Row, engine_memory_mb, exponent
from arbtui.runtime.load_test.verdicts import judge
from arbtui.runtime.load_test.verdicts.growth import growth
from arbtui.runtime.load_test.verdicts.memory import grown_mb, memory
from arbtui.runtime.load_test.verdicts.processing import processing
from arbtui.runtime.load_test.verdicts.runtime import runtime
from arbtui.runtime.load_test.verdicts.steadiness import steadiness
from arbtui.runtime.load_test.verdicts.trading import required, trading
from arbtui.runtime.load_test.verdicts.verdict import Outcome, Verdict
from tests.runtime.load_test.made import DURATION_S, fills, row

Judge = Callable[[Sequence[Row]], Verdict]
PASS, FAIL, NOT_MEASURED = Outcome.PASS, Outcome.FAIL, Outcome.NOT_MEASURED


def busy(rows: Sequence[Row]) -> Verdict:
    return trading(rows, "busy")


def leaking(mb_a_minute: float) -> list[list[float]]:
    return [[float(second), 10.0, 50.0 + mb_a_minute / 60 * second] for second in range(121)]


ALL: tuple[Judge, ...] = (steadiness, busy, processing, growth, memory, runtime)


def test_a_healthy_load_test_passes_every_verdict() -> None:
    verdicts = judge([row(10), row(200), row(1000)], "busy")
    assert [verdict.outcome for verdict in verdicts] == [PASS] * 6, verdicts
    assert len({verdict.criterion for verdict in verdicts}) == 6


@pytest.mark.parametrize(
    ("verdict", "fault", "said"),
    [
        (steadiness, row(50, exit_code=1, summary=None, said="arbtui: it broke"), "50 symbols: exit code 1 (arbtui: it broke)"),
        (steadiness, row(50, exit_code=-9, summary=None), "exit code -9"),
        (steadiness, row(50, exit_code=3), "exit code 3"),
        (steadiness, row(50, exit_code=0, summary=None), "exit code 0"),
        (steadiness, row(50, exit_code=None, summary=None, wall_s=210.0), "did not end by itself within 210 s"),
        (steadiness, row(50, loop_turns__longest_ms=50.0, loop_turns__stalls=1), "1 stalls, the longest 50.0 ms after 3.0 s"),
        (steadiness, row(50, loop_turns__longest_ms=float("nan")), "stalls"),
        (steadiness, row(50, loop_lag_ms__max=1000.0), "1000 ms late"),
        (steadiness, row(50, loop_turns=None), "was not timed"),
        (busy, row(50, fills_by_symbol=fills(row(50), A7=0)), "1 under 20 fills (1 with none): A7 0"),
        (busy, row(50, fills_by_symbol=fills(row(50), A7=19, A8=0)), "2 under 20 fills (1 with none): A7 19, A8 0"),
        (busy, row(50, fills_by_symbol={}), "0 under 20 fills"),
        (processing, row(50, messages__read=7), " offered, 7 read"),
        (processing, row(50, simulator__skipped_s=0.5), "0.5 s of the market were never played"),
        (processing, row(50, messages__malformed={"json": 2}), "2 not decoded"),
        (processing, row(50, gaps=3), "3 updates missing"),
        (processing, row(50, staleness_ms__p99=50.0), "staleness p99 50.0 ms"),
        (processing, row(50, staleness_ms__p99=float("nan")), "staleness p99"),
        (processing, row(50, staleness_ms__p99=None), "not measured"),
        (processing, row(50, simulator__messages=0, messages__read=0), "nothing was offered"),
        (growth, row(50, engine__cpu_percent=2.0 * 10**0.5 * 5.1), "CPU grows with exponent 1.01 from 10 to 50 symbols"),
        (growth, row(50, rss_mb__max=200.0), "memory grows with exponent"),
        (growth, row(50, engine__cpu_percent=float("nan")), "CPU grows with exponent nan"),
        (memory, row(50, resources=leaking(3.3)), "50 symbols: +2.7 MB of 2.5 in 60 s"),
        (memory, row(50, samples=20), "20 samples"),
        (runtime, row(50, runtime_s=DURATION_S + 0.0052), "5.2 ms too late (a bare timer: 0.1 ms)"),
        (runtime, row(50, runtime_s=DURATION_S + 0.0302, bare_timer_late_ms=25.0), "30.2 ms too late (a bare timer: 25.0 ms)"),
        (runtime, row(50, runtime_s=DURATION_S - 0.0051, bare_timer_late_ms=25.0), "5.1 ms too early"),
        (runtime, row(50, runtime_s=DURATION_S + 0.0051, bare_timer_late_ms=None), "5.1 ms too late"),
        (runtime, row(50, runtime_s=DURATION_S - 0.0051), "5.1 ms too early"),
        (runtime, row(50, runtime_s=float("nan")), "nan ms too early"),
        (runtime, row(50, runtime_s=80.0, stop_reason="signal"), "stopped for signal after 80.000 s"),
        (runtime, row(50, wall_s=DURATION_S), "shorter than the run it tells of"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fault_fails_its_verdict(verdict: Judge, fault: Row, said: str) -> None:
    found = verdict([row(10), fault])
    assert found.outcome is FAIL
    assert said in found.found
    others = {name: other([row(10), fault]).outcome for name, other in ((each.__name__, each) for each in ALL) if other is not verdict}
    if fault.summary is not None:
        assert FAIL not in others.values(), others


def test_every_verdict_has_a_fault_above() -> None:
    marks = test_a_fault_fails_its_verdict.pytestmark  # type: ignore[attr-defined]
    assert {parameters[0] for parameters in marks[0].args[1]} == set(ALL)


@pytest.mark.parametrize(
    ("verdict", "rows"),
    [
        (growth, [row(50)]),
        (growth, [row(10), row(50, summary=None, exit_code=1)]),
        (busy, []),
        (processing, [row(10, summary=None)]),
        (memory, [row(10, summary=None)]),
        (runtime, [row(10, summary=None)]),
        (busy, [row(10, duration_s=11.9)]),
    ],
)
def test_what_cannot_be_judged_is_said(verdict: Judge, rows: list[Row]) -> None:
    assert verdict(rows).outcome is NOT_MEASURED


def test_only_busy_owes_fills() -> None:
    idle = row(10, fills_by_symbol={"BTC": 0})
    assert trading([idle], "busy").outcome is FAIL
    assert trading([idle], "normal").outcome is NOT_MEASURED


@pytest.mark.parametrize(("seconds", "fills"), [(600.0, 100), (900.0, 150), (120.0, 20), (20.0, 2), (12.0, 2), (11.9, 0)])
def test_required_fills_come_in_whole_cycles(seconds: float, fills: int) -> None:
    assert required(seconds) == fills


def test_growth_leaves_the_simulator_out() -> None:
    few, many = row(10), row(1000, simulator__rss_mb=300.0, rss_mb__max=48.0 + 300.0 + 20.0)
    assert engine_memory_mb(many) == pytest.approx(20.0)
    assert growth([few, many]).outcome is PASS


@pytest.mark.parametrize(("small", "large", "value"), [((10, 2), (1000, 200), 1.0), ((10, 2), (1000, 20), 0.5), ((10, 2), (1000, 2), 0.0)])
def test_exponent(small: tuple[float, float], large: tuple[float, float], value: float) -> None:
    assert exponent(small, large) == pytest.approx(value)


def test_growth_from_nothing_is_not_hidden() -> None:
    assert exponent((10, 0.0), (1000, 5.0)) > 1


def test_the_first_half_may_fill_up() -> None:
    """Caches that fill to their bound early are no leak; a jump of the last sample alone is none either."""
    filling = [[float(second), 10.0, 50.0 + min(second, 60) * 0.5] for second in range(121)]
    assert memory([row(10, resources=filling)]).outcome is PASS
    assert grown_mb(row(10, resources=[*filling[:-1], [120.0, 10.0, 500.0]])) == 0.0


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = [row(1000), row(10), row(200)]
    assert growth(rows) == growth(rows[::-1])


def test_an_end_is_excused_as_far_as_a_bare_timer_of_the_same_run_was_late() -> None:
    late = row(50, runtime_s=DURATION_S + 0.0298, bare_timer_late_ms=25.0)
    verdict = runtime([late])
    assert verdict.outcome is Outcome.PASS
    assert verdict.found == "largest difference 29.80 ms; of a bare timer 25.00 ms"
