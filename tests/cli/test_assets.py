"""``arbtui assets``: what is known, who signed for what, and what was left alone."""

import json
from pathlib import Path

import pytest

from arbtui.exchanges.assets import Quarantine, Quarantined
from arbtui.settings.sign_offs import SignOffs
from tests.cli.command import Here

P = ("--profile", "upbit-binance")


@pytest.fixture
def offs(home: Path) -> SignOffs:
    return SignOffs(home / "state" / "arbtui" / "upbit-binance")


def test_the_known_ones_need_no_profile(arbtui: Here, home: Path) -> None:
    told = json.loads(arbtui("assets", "--json").out)
    assert (told["profile"], told["signed"], told["quarantined"]) == (None, [], [])
    assert {"symbol": "BTC", "name": "Bitcoin", "networks": ["bitcoin"], "price_ratio": [0.8, 1.25], "tickers": {}} in told["known"]
    assert "182 known, 0 signed" in arbtui("assets").out
    assert list(home.iterdir()) == []


def test_a_signature_is_kept_with_name_time_and_reason_and_can_be_taken_back(arbtui: Here, offs: SignOffs) -> None:
    offs.remember([Quarantined("MNT", Quarantine.UNKNOWN, "listed at both"), Quarantined("TON", Quarantine.CLASH, "two assets")])
    assert json.loads(arbtui("check", *P, "--json").out)["quarantined"][0]["symbol"] == "MNT"
    assert "TON is quarantined and not traded: CLASH, two assets" in arbtui("check", *P).out
    assert arbtui("check", *P).code == 0, "left alone is no problem"
    answer = arbtui("assets", "sign", "mnt", *P, "--reason", "same  contract\nat both")
    assert (answer.code, answer.err) == (0, "")
    told = json.loads(arbtui("assets", *P, "--json").out)
    (signed,) = told["signed"]
    assert (signed["symbol"], signed["reason"]) == ("MNT", "same contract at both")
    assert signed["by"]
    assert signed["at"].endswith("Z")
    assert [one["symbol"] for one in told["quarantined"]] == ["TON"]
    page = arbtui("assets", *P).out
    assert "MNT      signed" in page
    assert "TON      quarantined  CLASH" in page
    assert arbtui("assets", "revoke", "MNT", *P).code == 0
    assert json.loads(arbtui("assets", *P, "--json").out)["signed"] == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("sign", "MNT", *P), "--reason is needed"),
        (("sign", "MNT", *P, "--reason", "  "), "--reason is needed"),
        (("sign", "TON", *P, "--reason", "x"), "it cannot be signed"),
        (("sign", "MET2", *P, "--reason", "x"), "it cannot be signed"),
        (("sign", "BTC", *P, "--reason", "x"), "needs no signature"),
        (("sign", "a/b", *P, "--reason", "x"), "not an asset's ticker"),
        (("sign", "MNT", "--reason", "x"), "which profile?"),
        (("sign", "MNT", "--profile", "nowhere", "--reason", "x"), "nowhere"),
        (("revoke", "MNT", *P), "MNT is not signed"),
        ((*P, "sign", "MNT", "--reason", "x"), "belong after the command"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(arbtui: Here, offs: SignOffs, arguments: tuple[str, ...], complaint: str) -> None:
    answer = arbtui("assets", *arguments)
    assert answer.code == 2
    assert complaint in answer.err
    assert offs.signed() == {}


def test_a_damaged_file_is_a_problem_that_check_tells(arbtui: Here, offs: SignOffs, home: Path) -> None:
    folder = home / "state" / "arbtui" / "upbit-binance"
    folder.mkdir(parents=True)
    (folder / "assets.json").write_text("{")
    answer = arbtui("check", *P)
    assert answer.code == 2
    assert "assets.json is damaged" in answer.out
    assert arbtui("assets", *P).code == 2


def test_hundreds_are_one_line(arbtui: Here, offs: SignOffs) -> None:
    many = [Quarantined(f"Q{n}", Quarantine.UNKNOWN, "listed at both") for n in range(300)]
    offs.remember([*many, Quarantined("TON", Quarantine.CLASH, "two assets")])
    said = "301 symbols (300 UNKNOWN, 1 CLASH): Q0, Q1, Q2, Q3, Q4, ..."
    (line,) = [line for line in arbtui("check", *P).out.splitlines() if line.startswith("assets ")]
    assert line == f"assets   quarantined and not traded: {said}; arbtui assets --profile upbit-binance --json lists them"
    assert f"quarantined  {said}; --json lists each with its reason\n" in arbtui("assets", *P).out
    assert len(json.loads(arbtui("assets", *P, "--json").out)["quarantined"]) == 301
    assert len(json.loads(arbtui("check", *P, "--json").out)["quarantined"]) == 301


def test_many_are_signed_and_revoked_at_once(arbtui: Here, offs: SignOffs) -> None:
    many = [f"Q{n}" for n in range(300)]
    answer = arbtui("assets", "sign", *many, "q0", *P, "--reason", "compared by contract")
    assert (answer.code, answer.err, answer.out.count("\n")) == (0, "", 1)
    assert answer.out.startswith("300 symbols (Q0, Q1, Q2, Q3, Q4, ...): signed by ")
    assert sorted(offs.signed()) == sorted(many)
    answer = arbtui("assets", "revoke", *many[:299], *P)
    assert (answer.code, answer.out.count("\n")) == (0, 1)
    assert list(offs.signed()) == ["Q299"]


@pytest.mark.parametrize("command", ["sign", "revoke"])
def test_all_or_none(arbtui: Here, offs: SignOffs, command: str) -> None:
    arbtui("assets", "sign", "AAA", *P, "--reason", "x")
    more = ("--reason", "x") if command == "sign" else ()
    answer = arbtui("assets", command, "AAA", "BTC", "TON", *P, *more)
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    assert "BTC" in answer.err
    assert "TON" in answer.err
    assert f"nothing was {'signed' if command == 'sign' else 'revoked'}" in answer.err
    assert list(offs.signed()) == ["AAA"]
