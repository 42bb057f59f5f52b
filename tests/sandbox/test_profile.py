"""Turning a profile to the sandbox: its URLs change, and not a character besides."""

import difflib
import tomllib
from pathlib import Path

import pytest

from arbtui.model.errors import UsageError
from arbtui.sandbox.profile import turned
from arbtui.settings.load import load_profile
from tests.conftest import REPOSITORY

URLS = {
    "upbit": {"rest": "http://127.0.0.1:1", "stream": "ws://127.0.0.1:1/websocket/v1", "private": "ws://127.0.0.1:1/websocket/v1/private"},
    "binance": {"rest": "http://127.0.0.1:2", "stream": "ws://127.0.0.1:2/stream", "private": "ws://127.0.0.1:2/ws-api/v3"},
}


def test_the_shipped_profile_keeps_every_comment(tmp_path: Path) -> None:
    text = (REPOSITORY / "profiles" / "upbit-binance.toml").read_text()
    result = turned(text, URLS, "here")
    changed = [line for line in difflib.ndiff(text.splitlines(), result.splitlines()) if line[0] in "+-"]
    assert len(changed) == 12
    assert all("127.0.0.1" in line or "upbit.com" in line or "binance.com" in line for line in changed)
    assert result.count("#") == text.count("#")
    path = tmp_path / "turned.toml"
    path.write_text(result)
    assert load_profile(str(path)).is_sandbox
    assert turned(result, URLS, "here") == result  # again, and nothing is left to do


@pytest.mark.parametrize(
    "text",
    [
        "[exchanges.upbit]\n[exchanges.binance]\n",
        '[exchanges.upbit]\n[exchanges.binance]\n[exchanges.upbit.urls]\nrest = "https://x"  # REST\n\n[universe]\nsymbols = 3\n',
        '[exchanges."upbit".urls]\nstream = \'wss://x\'\n[exchanges.upbit]\nquote = "KRW"\n[exchanges.binance]\n',
    ],
)
def test_what_is_not_there_is_written(text: str) -> None:
    result = turned(text, URLS, "here")
    told = tomllib.loads(result)
    assert {name: told["exchanges"][name]["urls"] for name in URLS} == URLS
    assert told.get("universe") == tomllib.loads(text).get("universe")
    assert ("# REST" in result) == ("# REST" in text)


@pytest.mark.parametrize(
    "text",
    [
        '[exchanges.upbit]\nurls = { rest = "https://api.upbit.com" }\n[exchanges.binance]\n',
        '[exchanges.upbit]\nurls.rest = "https://api.upbit.com"\n[exchanges.binance]\n',
        '[exchanges.upbit.urls]\nrest = """\nhttps://api.upbit.com"""\n[exchanges.binance]\n',
    ],
)
def test_what_cannot_be_edited_line_by_line_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="here: its URLs"):
        turned(text, URLS, "here")
