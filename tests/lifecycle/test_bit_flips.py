"""One bit of a closed journal is turned over: it is refused in a sentence, or nothing that is read of it changes."""

import json
import os
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest

from arbtui.journal.journal import Journal
from arbtui.journal.liveness import read_liveness
from arbtui.journal.outbox import load_outbox
from arbtui.model.clock import VIRTUAL_EPOCH_MS
from arbtui.model.errors import UsageError
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.past_cycles import past_cycles
from arbtui.portfolio.restore import restore
from arbtui.portfolio.verification import verify
from arbtui.runtime.session import run_session
from arbtui.settings.load import load_profile
from arbtui.settings.options import SessionOptions
from arbtui.views.status import read_status
from tests.cli.command import in_shell
from tests.journal.synthetic import FixedClock
from tests.proof.steps import FLIPS

PROFILE = "upbit-binance"
_SEED = 20261129
#: The whole command line is asked for so many of the flips that a start refuses.
_IN_SHELL = 3


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of a minute of trading, closed in order."""
    folder = tmp_path_factory.mktemp("state")
    settings = load_profile(PROFILE, {"mode": "sim", "universe": {"symbols": 3}})
    assert run_session(SessionOptions(settings, folder, headless=True, speed="max", max_runtime_s=60.0)) == 0
    return folder


def ledger(path: Path) -> str:
    return json.dumps([read_ledger(path), read_ledger(path, run="r1")])


def status(path: Path) -> str:
    pulse = read_liveness(path)
    journal, portfolio = restore(path)
    return json.dumps(read_status(None, None, journal, portfolio, pulse, VIRTUAL_EPOCH_MS + 3_600_000, 5.0))


def start(path: Path) -> str:
    """What a start reads before it connects to anything; what it goes on from."""

    async def opened() -> None:
        await (await Journal.open(path, clock=FixedClock(), door="sync")).close()

    run_virtual(opened())
    remembered, portfolio = restore(path)
    past_cycles(path)  # for screens only, and not compared: `verify` does
    facts = [remembered.salt, remembered.seq, remembered.runs, str(remembered.last_run), str(remembered.kills), str(remembered.origins)]
    return json.dumps([*facts, str(load_outbox(path)), portfolio.encode().decode(), ledger(path)])


def whole(path: Path) -> str:
    return json.dumps([verify(path).events, verify(path).last_hash])


READERS: dict[str, Callable[[Path], str]] = {"ledger": ledger, "status": status, "verify": whole, "start": start}


def test_f45_a_bit_that_was_turned_over_is_refused_or_changes_nothing(state: Path, tmp_path: Path) -> None:
    original = state / PROFILE / "sim" / "journal.db"
    content = original.read_bytes()
    assert not original.with_name("journal.db-wal").exists()
    path = tmp_path / "sim" / "journal.db"
    path.parent.mkdir()

    _lay(path, content)
    right = {name: read(path) for name, read in READERS.items()}
    dice = random.Random(_SEED)
    refused: Counter[str] = Counter()
    harmless = in_shell_left = 0
    in_shell_left = _IN_SHELL
    flips = int(os.environ.get(FLIPS, "25"))
    for _ in range(flips):
        place, bit = dice.randrange(len(content)), dice.randrange(8)
        _lay(path, content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :])
        found: dict[str, str] = {}
        for name, read in READERS.items():
            try:
                assert read(path) == right[name], f"{name} reads something else, bit {bit} of byte {place} turned over"
            except UsageError as error:
                found[name] = str(error)
                assert str(path) in found[name]
                assert "\n" not in found[name]
        refused.update(list(found))
        harmless += not found
        if "start" in found and in_shell_left:
            in_shell_left -= 1
            _refused_in_shell(state, tmp_path / f"shell{in_shell_left}", path, found)
    print(f"FLIPS {flips}: {harmless} harmless, refused by {', '.join(f'{name} {refused[name]}' for name in READERS)}")
    assert harmless < flips
    assert in_shell_left == 0 or flips < 20


def test_f45_a_name_in_a_journal_that_is_no_text_any_more_is_refused(state: Path, tmp_path: Path) -> None:
    content = (state / PROFILE / "sim" / "journal.db").read_bytes()
    path = tmp_path / "sim" / "journal.db"
    path.parent.mkdir()
    _lay(path, content)
    right = {name: read(path) for name, read in READERS.items()}
    begins = content.index(b"CREATE TABLE event")
    said: list[str] = []
    for place in range(begins, begins + 80):
        _lay(path, content[:place] + bytes([content[place] ^ 0x80]) + content[place + 1 :])
        for name, read in READERS.items():
            try:
                assert read(path) == right[name]
            except UsageError as error:
                said.append(str(error))
    assert any("no text" in one for one in said)
    assert [one for one in said if not ("restore a backup" in one or "put the right file back" in one)] == []
    assert all(one.startswith(str(path)) for one in said)


def test_f45_a_number_of_an_event_that_is_another_ends_no_reading_early(state: Path, tmp_path: Path) -> None:
    """Where a number far too high stands in the middle, a search by number takes it for the end."""
    original = state / PROFILE / "sim" / "journal.db"
    content = original.read_bytes()
    path = tmp_path / "sim" / "journal.db"
    path.parent.mkdir()
    _lay(path, content)
    right = {name: read(path) for name, read in READERS.items()}
    for number in (150, 290, 410):
        with closing(sqlite3.connect(original)) as db:
            (payload,) = db.execute("SELECT payload FROM event WHERE seq = ?", (number,)).fetchone()
        told = payload if isinstance(payload, bytes) else payload.encode()
        own = bytes([0x80 | number >> 7, number & 0x7F])
        begins = content.rindex(own, 0, content.index(told))
        for place, bit in product((begins, begins + 1), range(7)):
            _lay(path, content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :])
            for name, read in READERS.items():
                try:
                    assert read(path) == right[name], f"{name} reads something else"
                except UsageError:
                    continue


def _lay(path: Path, content: bytes) -> None:
    for rest in path.parent.iterdir():
        rest.unlink()
    path.write_bytes(content)
    os.utime(path, (1e9, 1e9))  # a status tells it


def _refused_in_shell(state: Path, folder: Path, damaged: Path, found: Collection[str]) -> None:
    """The same from the command line, for each of ``found``, readers that refuse it: exit code 2, one sentence, and a way out."""
    shutil.copytree(state, folder)
    shutil.copyfile(damaged, folder / PROFILE / "sim" / "journal.db")
    where = ("--profile", PROFILE, "--state-dir", str(folder))
    commands = {
        "ledger": ("ledger", "--json"),
        "verify": ("journal", "verify"),
        "start": ("--headless", "--speed", "max", "--max-runtime", "5", "--symbols", "3"),
    }
    for arguments in (command for name, command in commands.items() if name in found):
        done = in_shell(*arguments, *where)
        assert done.code == 2, done
        assert "Traceback" not in done.err
        (line,) = [line for line in done.err.splitlines() if "journal.db" in line]
        assert "restore a backup" in line or "journal rebuild" in line or "name another --state-dir" in line
