"""The frame rate steps down under load and comes back."""

from arbtui.console.frame import FrameRate


def test_steps_down_on_lag_and_up_after_calm() -> None:
    frame = FrameRate(10)
    assert frame.hz == 10
    rates = {}
    for second in range(80):
        frame.observe(100.0 + second, 12.0 if second < 40 else 2.0, 0)
        rates[second] = frame.hz
    changes = {second: rates[second] for second in range(1, 80) if rates[second] != rates[second - 1]}
    assert changes == {12: 5, 23: 2, 49: 5, 59: 10}


def test_one_hiccup_costs_one_step() -> None:
    frame = FrameRate(10)
    frame.observe(100.0, 1.0, 0)
    for second in range(20, 30):  # it stays in the ten-second window
        frame.observe(100.0 + second, 50.0, 0)
    assert frame.hz == 5


def test_the_start_itself_is_not_judged() -> None:
    frame = FrameRate(10)
    for second in range(11):
        frame.observe(100.0 + second, 90.0, 0)
    assert frame.hz == 10


def test_steps_down_on_dropped_writes() -> None:
    frame = FrameRate(10)
    frame.observe(100.0, 1.0, 3)
    assert frame.hz == 5
    frame.observe(110.1, 1.0, 3)
    assert frame.hz == 10
    assert frame.drops == 3


def test_paints_its_share_of_the_ticks() -> None:
    frame = FrameRate(10)
    assert sum(frame.due() for _ in range(100)) == 100
    frame.observe(100.0, 1.0, 1)
    assert sum(frame.due() for _ in range(100)) == 50
    frame.observe(112.0, 1.0, 2)
    assert sum(frame.due() for _ in range(100)) == 20


def test_the_slowest_is_one_frame_a_second() -> None:
    frame = FrameRate(1)
    for second in range(60):
        frame.observe(100.0 + second, 99.0, 0)
    assert frame.hz == 1
    assert frame.due()
