"""A summary has a place to go before the run starts, and arrives whole."""

import json
from pathlib import Path

import pytest

from arbtui.model.errors import UsageError
from arbtui.settings.output import JsonOutput


def test_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    JsonOutput("-").write({"fills": 3})
    assert json.loads(capsys.readouterr().out) == {"fills": 3}


def test_to_a_file_that_is_there_only_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    output = JsonOutput(str(path))
    assert not path.exists()
    output.write({"fills": 3})
    assert json.loads(path.read_text()) == {"fills": 3}
    assert list(tmp_path.iterdir()) == [path]


def test_an_older_summary_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text("old")
    output = JsonOutput(str(path))
    assert path.read_text() == "old"
    with pytest.raises(ValueError, match="JSON"):
        output.write({"x": float("nan")})
    assert path.read_text() == "old"


def test_to_a_device() -> None:
    JsonOutput("/dev/null").write({"fills": 3})
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("target", ["", ".", "/nowhere/summary.json", "/dev/null/x"])
def test_what_cannot_be_written_is_told_at_once(target: str) -> None:
    with pytest.raises(UsageError, match="--json"):
        JsonOutput(target)
