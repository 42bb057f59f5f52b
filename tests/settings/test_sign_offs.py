from pathlib import Path

import pytest

from arbtui.exchanges.assets import Quarantine, Quarantined, SignOff
from arbtui.model.errors import UsageError
from arbtui.settings.sign_offs import SignOffs

MNT = SignOff("MNT", "ann", 1_767_225_600_000, "same contract at both")


def test_what_was_signed_is_there_at_the_next_start_and_gone_once_revoked(tmp_path: Path) -> None:
    folder = tmp_path / "profile"
    assert SignOffs(folder).signed() == {}
    assert not folder.exists(), "reading makes nothing"
    SignOffs(folder).sign(MNT)
    assert SignOffs(folder).signed() == {"MNT": MNT}
    assert [(path.name, path.stat().st_mode & 0o777) for path in folder.iterdir()] == [("assets.json", 0o600)]
    SignOffs(folder).revoke("MNT", "never signed")
    assert SignOffs(folder).signed() == {}


def test_what_a_start_left_alone_is_remembered_until_the_next(tmp_path: Path) -> None:
    left = [Quarantined("TON", Quarantine.CLASH, "two assets")]
    SignOffs(tmp_path).remember(left)
    assert SignOffs(tmp_path).quarantined() == left
    SignOffs(tmp_path).remember([])
    assert SignOffs(tmp_path).quarantined() == []


@pytest.mark.parametrize(
    "text", ["", "{", "{}x", '[{"symbol": "MNT"}]', "[1]", '["abcd"]', "3", '[{"symbol": 1, "by": "a", "ts_ms": 2, "reason": "x"}]']
)
def test_a_damaged_file_signs_for_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "assets.json").write_text(text)
    with pytest.raises(UsageError, match="damaged"):
        SignOffs(tmp_path).signed()
    with pytest.raises(UsageError, match="damaged"):
        SignOffs(tmp_path).sign(MNT)
    assert (tmp_path / "assets.json").read_text() == text, "it is evidence"


def test_an_unknown_word_in_the_other_file_is_damage_too(tmp_path: Path) -> None:
    (tmp_path / "quarantined.json").write_text('[{"symbol": "X", "reason": "BAD", "detail": ""}]')
    with pytest.raises(UsageError, match="damaged"):
        SignOffs(tmp_path).quarantined()
