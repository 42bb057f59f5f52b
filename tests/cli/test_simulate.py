"""``arbtui simulate``: wrong input is refused in a sentence before anything is played."""

import pytest

from tests.cli.command import Here


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--minutes", "1", "--hours", "1"), "--minutes or --hours, not both"),
        (("--minutes", "0.1"), "a story of 0.1 minutes: expected from 0.5 minutes to 24 hours"),
        (("--hours", "nan"), "expected from 0.5 minutes to 24 hours"),
        (("--seed", "-1"), "--seed -1: expected a number from 0 up"),
        (("--seeds", "0"), "--seeds 0: expected a number from 1 to 100,000"),
        (("--symbols", "0"), "--symbols 0: expected a number from 1 to 50"),
        (("--jobs", "0"), "--jobs 0: expected a number from 1 to 64"),
        (("--faults", "fire"), "'fire' is no kind of fault; there are all, none, request-lost"),
        (("--only", "a"), "--only 'a': expected numbers of faults with commas between them, or none"),
        (("--profile", "binance-spot-perp"), "not binanceusdm"),
        (("--profile", "upbit-binanc"), "did you mean upbit-binance?"),
    ],
)
def test_wrong_input_is_refused(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = Here(capsys)("simulate", *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert answer.out == ""
