"""The frame rate steps down under load and comes back."""

from arbtui.console.frame import FrameRate


def test_steps_down_on_lag_and_up_after_calm() -> None:
    frame = FrameRate(10)
    assert frame.hz == 10
    rates = []
    for second in range(8):
        frame.observe(100.0 + second, 12.0, 0)
        rates.append(frame.hz)
    assert rates == [5, 5, 2, 2, 2, 2, 2, 2]
    rates = []
    for second in range(8, 30):
        frame.observe(100.0 + second, 2.0, 0)
        rates.append(frame.hz)
    assert rates[8] == 2
    assert rates[9] == 5
    assert rates[-1] == 10


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
    frame.observe(100.0, 99.0, 0)
    assert sum(frame.due() for _ in range(100)) == 50
    frame.observe(102.0, 99.0, 0)
    assert sum(frame.due() for _ in range(100)) == 20


def test_the_slowest_is_one_frame_a_second() -> None:
    frame = FrameRate(1)
    for second in range(9):
        frame.observe(100.0 + second, 99.0, 0)
    assert frame.hz == 1
    assert frame.due()
