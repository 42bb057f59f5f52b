"""Old events go to archives, and nothing else changes: ledger, fold, tables, chain; whenever the process ends, and whatever is damaged."""

import asyncio
import gzip
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from arbtui.journal.archiver import Archiver
from arbtui.journal.archives import FOLDER, ArchiveWriter, _checked
from arbtui.journal.backup import NoSpace, back_up
from arbtui.journal.backup_files import backups_of
from arbtui.journal.chain import archives, newest_archive
from arbtui.journal.database import opened_with
from arbtui.journal.events import Event, FillRecorded, OrderChanged, OrderIntended, Recorded, RowsRolledUp
from arbtui.journal.journal import Journal
from arbtui.journal.known_orders import KnownOrder, known_order
from arbtui.journal.reader import events, reading
from arbtui.journal.state import load
from arbtui.model.errors import UsageError
from arbtui.model.tip_file import tip_file
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.projections import ProjectingPortfolio, rebuild
from arbtui.portfolio.restore import restore
from arbtui.portfolio.verification import verify
from tests.journal.recorded import tables, tamper
from tests.journal.synthetic import SyntheticRun
from tests.portfolio.archived import KEEP, PORTION, archive, grow, with_journal
from tests.portfolio.recorded import record

CYCLES = 60


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal that nothing of is archived; not to be changed."""
    path = tmp_path_factory.mktemp("grown") / "sim" / "journal.db"
    run = SyntheticRun()
    record(path, run.start(), run.trouble(), run.told())
    grow(path, 0, CYCLES, run)
    return path


@pytest.fixture
def path(grown: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(grown.parent, tmp_path / "sim")
    shutil.copyfile(tip_file(grown), tip_file(tmp_path / "sim" / "journal.db"))
    return tmp_path / "sim" / "journal.db"


def story(path: Path) -> list[Recorded]:
    with reading(path) as db:
        return list(events(db))


def held(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT count(*) FROM event").fetchone()[0])


def files(path: Path) -> list[Path]:
    return sorted((path.parent / FOLDER).iterdir(), key=lambda file: int(file.name.split("-")[1]))


def test_what_a_journal_says_is_the_same_with_its_older_part_in_archives(path: Path) -> None:
    before, ledger, fold, size = story(path), read_ledger(path), restore(path)[1].dump(), held(path)
    assert archive(path) == 5
    assert held(path) < size / 2
    assert story(path)[: len(before)] == before
    assert read_ledger(path) == ledger
    now = restore(path)[1]
    assert now.dump() == fold | {"seq": now.state.seq}
    found = verify(path)
    assert (found.events, found.snapshots) == (now.state.seq, [1, 2, 3, 4, 5])
    stored = tables(path)
    assert 0 < len(stored["fill"]) < len(ledger["fills"])
    assert len(stored["run"]) == 1
    assert len(stored["kill"]) == 2
    assert len(stored["archive"]) == 5
    assert rebuild(path) == now.state.seq
    assert tables(path) == stored


def test_a_journal_grows_on_and_archives_on(path: Path) -> None:
    run = SyntheticRun()
    archive(path)
    grow(path, CYCLES, 2 * CYCLES, run)
    assert archive(path) == 5
    assert verify(path).events == len(story(path))
    assert len(read_ledger(path)["fills"]) == 4 * CYCLES
    with reading(path) as db:
        told = archives(db)
    assert [(one.first, one.last) for one in told] == [(n * PORTION + 1, (n + 1) * PORTION) for n in range(10)]
    assert [one.before for one in told[1:]] == [one.after for one in told[:-1]]
    assert archive(path) == 0, "nothing more is due"


def test_a_file_is_what_its_page_says(path: Path) -> None:
    """Whoever has only this file and the journal's hash can follow the chain, with no program of ours."""
    archive(path)
    with reading(path) as db:
        told = archives(db)[0]
    file = files(path)[0]
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (file.name, sha256(file.read_bytes()).hexdigest(), file.stat().st_size) == (told.file, told.sha256, told.size)
    head, *rows = map(json.loads, gzip.decompress(file.read_bytes()).splitlines())
    assert head == {"salt": load(path).salt, "first": 1, "last": PORTION, "before": "00" * 32}
    last = bytes(32)
    for seq, ts_ms, run_id, kind, version, payload in rows:
        last = sha256(last + f"{seq} {ts_ms} {version} {len(run_id)} {len(kind)} {run_id}{kind}{payload}".encode()).digest()
    assert (len(rows), last.hex()) == (PORTION, told.after)
    times = [row[1] for row in rows]
    assert (told.from_ms, told.to_ms) == (min(times), max(times))


def test_its_name_is_on_disk_before_the_journal_tells_of_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, sync = path.parent / FOLDER, os.fsync
    seen: list[tuple[int, int]] = []

    def noted(descriptor: int) -> None:
        sync(descriptor)
        if folder.is_dir() and os.path.samestat(os.fstat(descriptor), folder.stat()):
            with reading(path) as db:
                seen.append((len([file for file in files(path) if not file.name.startswith(".")]), len(archives(db))))

    monkeypatch.setattr("os.fsync", noted)
    made = archive(path)
    assert seen == [(number + 1, number) for number in range(made)]
    assert made > 1


def test_what_is_read_back_as_something_else_is_no_archive(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk says that it has written, and has not."""
    sync, turned = os.fsync, list[Path]()

    def turn(descriptor: int) -> None:
        sync(descriptor)
        for file in (path.parent / FOLDER).glob(".events-*.new") if (path.parent / FOLDER).is_dir() else ():
            written = bytearray(file.read_bytes())
            written[len(written) // 2] ^= 1
            file.write_bytes(written)
            turned.append(file)

    before = held(path)
    monkeypatch.setattr("os.fsync", turn)
    with suppress(OSError):
        archive(path)
    monkeypatch.undo()
    assert turned
    assert [file.name for file in files(path) if not file.name.startswith(".")] == []
    with reading(path) as db:
        assert archives(db) == []
    assert held(path) >= before
    verify(path)


def test_a_span_of_time_may_begin_and_end_in_an_archive(path: Path) -> None:
    times = sorted({recorded.ts_ms for recorded in story(path)})
    spans = [(times[at], times[-at - 1] if at < 30 else None) for at in (0, 3, 17, 29, 45, 59)]
    before = [read_ledger(path, since_ms=since, until_ms=until) for since, until in spans]
    archive(path)
    assert [read_ledger(path, since_ms=since, until_ms=until) for since, until in spans] == before


def test_only_what_is_proven_goes(path: Path) -> None:
    assert archive(path, proven=PORTION - 1) == 0
    assert not (path.parent / FOLDER).exists()
    assert archive(path, proven=2 * PORTION) == 2
    price = f"SELECT min(seq) FROM event WHERE seq > {2 * PORTION} AND instr(payload, '0.30')"
    tamper(path, f"UPDATE event SET payload = replace(payload, '0.30', '0.31') WHERE seq = ({price})")
    with pytest.raises(UsageError, match="is not what was written"):
        archive(path)


def test_an_event_that_no_archive_holds_is_never_deleted(path: Path) -> None:
    archive(path)
    with closing(sqlite3.connect(path)) as db:
        (last,) = db.execute("SELECT max(last) FROM archive").fetchone()
        with pytest.raises(sqlite3.IntegrityError, match="events are never deleted"):
            db.execute("DELETE FROM event WHERE seq = ?", (last + 1,))


def test_a_kill_between_any_two_steps_loses_nothing(grown: Path, tmp_path: Path) -> None:
    ledger, before = read_ledger(grown), story(grown)
    ended = ""
    for steps in range(20):
        folder = tmp_path / str(steps) / "sim"
        shutil.copytree(grown.parent, folder)
        path = folder / "journal.db"
        shutil.copyfile(tip_file(grown), tip_file(path))
        child = [sys.executable, "-m", "tests.portfolio.archived", str(path), str(steps)]
        ended = subprocess.run(child, capture_output=True, text=True, timeout=60).stdout
        assert read_ledger(path) == ledger, f"killed before step {steps}"
        assert story(path)[: len(before)] == before
        verify(path)
        archive(path, keep=len(before) - PORTION)
        assert read_ledger(path) == ledger
        verify(path)
        assert len(files(path)) == 1, "what was begun is done or taken away"
        assert held(path) < len(before) - PORTION / 2
        if ended:
            break
    assert ended == "done\n"
    assert steps > 5


@pytest.mark.parametrize("damage", ["gone", "cut", "turned"])
def test_a_missing_or_damaged_archive_is_one_sentence_with_a_way_out(path: Path, damage: str) -> None:
    archive(path)
    file = files(path)[1]
    whole = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(whole[:-9] if damage == "cut" else whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
    what = "it is missing" if damage == "gone" else "it is damaged"
    for read in (read_ledger, verify, rebuild):
        with pytest.raises(UsageError, match=rf"{file.name}: {what}.*holds the events 91 to 180 of .*put a copy of it back") as refused:
            read(path)
        assert "\n" not in str(refused.value)
    restore(path)
    with_journal(path, _nothing)
    file.write_bytes(whole)
    assert verify(path).events == restore(path)[0].seq


async def _nothing(journal: Journal) -> None:
    """A start goes on without the archives: it reads the snapshot and what came after."""


def test_an_archive_is_read_only_where_it_is_needed(path: Path) -> None:
    archive(path)
    files(path)[0].unlink()
    with reading(path) as db:
        first, last = archives(db)[0].last + 1, db.execute("SELECT max(seq) FROM event").fetchone()[0]
        assert [one.seq for one in events(db, first - 1)] == list(range(first, last + 1))
    with reading(path) as db, pytest.raises(UsageError, match="it is missing"):
        list(events(db, archives(db)[0].last - 1))


def test_events_that_do_not_lead_to_the_hash_that_was_told_are_refused(path: Path) -> None:
    archive(path)
    with reading(path) as db:
        told = archives(db)[0]
    rows = list(_checked(files(path)[0], path, told))
    assert [row[0] for row in rows] == list(range(told.first, told.last + 1))
    for wrong in (structs.replace(told, after="00" * 32), structs.replace(told, last=told.last + 1)):
        with pytest.raises(UsageError, match="its events are not those that were archived"):
            list(_checked(files(path)[0], path, wrong))


def test_a_start_whose_snapshot_cannot_be_used_reads_the_archives(path: Path) -> None:
    archive(path)
    fold = restore(path)[1].dump()
    tamper(path, "DELETE FROM snapshot")
    assert restore(path)[1].dump() == fold


def test_an_upgrade_that_needs_an_archive_that_is_gone_names_each_and_every_way_out(path: Path) -> None:
    """The rules of the fold have changed, so no snapshot can be used, and nothing else tells what the archives did."""
    archive(path)

    async def of_earlier_rules(journal: Journal) -> None:
        assert isinstance(journal.fold, ProjectingPortfolio)
        dumped = journal.fold.portfolio.dump()
        await journal.snapshot({"portfolio": {**dumped, "rules": dumped["rules"] - 1}})

    with_journal(path, of_earlier_rules)
    whole = restore(path)[1].dump()
    copies = back_up(path).path.parent / FOLDER
    lost = files(path)[1:3]
    for file in lost:
        file.unlink()
    with pytest.raises(UsageError, match=r"cannot be used.*folded by the rules") as refused:
        restore(path)
    told = str(refused.value)
    for way_out in (f"put the copy {copies / lost[0].name} back", *map(str, lost), "the version of the program that wrote the snapshot"):
        assert way_out in told
    assert f"move the whole folder {path.parent} and {tip_file(path)} away" in told
    assert "trades without it" not in told
    for file in lost:
        shutil.copyfile(copies / file.name, file)
    assert restore(path)[1].dump() == whole


@pytest.mark.parametrize("change", ["first = first + 1", "file = 'other'", "after = 'ab'"])
def test_the_list_of_archives_is_compared_with_its_events(path: Path, change: str) -> None:
    archive(path)
    tamper(path, f"UPDATE archive SET {change} WHERE last = {PORTION}")
    with pytest.raises(UsageError, match="table archive"):
        load(path)
    rebuild(path)
    verify(path)


@pytest.mark.parametrize("which", ["min", "max"])
def test_what_tells_of_an_archive_is_compared_with_its_own_hash_whoever_asks(path: Path, which: str) -> None:
    assert archive(path) > 1
    told = f"type = 'EventsArchived' AND seq = (SELECT {which}(seq) FROM event WHERE type = 'EventsArchived')"
    tamper(path, f"UPDATE event SET payload = replace(payload, 'jsonl', 'jsonI') WHERE {told}")
    with closing(sqlite3.connect(path)) as db:
        (seq,) = db.execute(f"SELECT seq FROM event WHERE {told}").fetchone()
        with pytest.raises(UsageError, match=f"event {seq} is not what was written"):
            archives(db)
        if which == "max":
            with pytest.raises(UsageError, match=f"event {seq} is not what was written"):
                newest_archive(db)


def test_each_bit_of_what_stays_is_still_watched(path: Path) -> None:
    archive(path)
    with closing(sqlite3.connect(path)) as db:
        (seq,) = db.execute("SELECT min(seq) FROM event WHERE type = 'Killed'").fetchone()
        (last,) = db.execute("SELECT max(last) FROM archive").fetchone()
    assert seq < last, "it is archived, and stays"
    tamper(path, f"UPDATE event SET payload = replace(payload, 'KEY', 'key') WHERE seq = {seq}")
    with pytest.raises(UsageError, match=f"event {seq} is not what was written"):
        load(path)


def test_an_order_of_an_archive_is_known(path: Path) -> None:
    archive(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT 1 FROM order_ WHERE client_order_id = 'r1-3-0'").fetchone() is None
    order = known_order(path, "binance", "r1-3-0", "")
    assert order is not None
    fills = [one.event for one in story(path) if isinstance(one.event, FillRecorded) and one.event.fill.client_order_id == "r1-3-0"]
    changes = [one.event for one in story(path) if isinstance(one.event, OrderChanged) and one.event.client_order_id == "r1-3-0"]
    assert (order.cycle_id, order.leg, order.filled_qty) == (fills[0].cycle_id, fills[0].leg, changes[-1].filled_qty)
    assert (order.state, order.venue_order_id, order.is_booked) == (changes[-1].state, changes[-1].venue_order_id, False)
    fill = fills[0].fill
    booked = known_order(path, fill.exchange, "r1-3-0", "", fill.trade_id)
    assert booked is not None
    assert booked.is_booked, "an old fill told again is nothing new"
    assert known_order(path, fill.exchange, "", order.venue_order_id, fill.trade_id) == booked, "found by the venue's number, too"
    assert known_order(path, "binance", "r1-3-", "") is None
    assert known_order(path, "binance", "", "no such number") is None


def test_every_order_is_known_by_each_of_its_names_wherever_its_events_lie(path: Path) -> None:
    """In archives so short that most orders begin in one and end in the next, and in the tables."""
    told = [one.event for one in story(path)]
    intents = {each.client_order_id: each for each in told if isinstance(each, OrderIntended)}
    last = {each.client_order_id: each for each in told if isinstance(each, OrderChanged)}
    fills = {each.fill.client_order_id: each.fill for each in told if isinstance(each, FillRecorded)}
    assert archive(path, keep=200, portion=7) > 20
    newest = sorted(intents, key=lambda key: int(key.split("-")[1]))[-54:]  # the first archives are too old to be looked into
    for key in newest:
        intent, end, fill = intents[key], last[key], fills[key]
        known = KnownOrder(key, intent.cycle_id, intent.leg, intent.qty, end.filled_qty, end.state, end.venue_order_id, end.reason, True)
        assert known_order(path, intent.exchange, key, "", fill.trade_id) == known
        assert known_order(path, intent.exchange, "", end.venue_order_id, fill.trade_id) == known
        assert known_order(path, intent.exchange, key, "", "another") == replace(known, is_booked=False)
        other = "upbit" if intent.exchange == "binance" else "binance"
        assert known_order(path, other, "", end.venue_order_id) is None
    with closing(sqlite3.connect(path)) as db:
        in_tables = {row[0] for row in db.execute("SELECT client_order_id FROM order_")}
    assert 10 < len(in_tables) < len(newest) - 10


def test_a_late_fill_of_an_archived_order_is_booked_and_everything_still_agrees(path: Path) -> None:
    archive(path)
    order = known_order(path, "binance", "r1-3-0", "")
    old = next(one.event for one in story(path) if isinstance(one.event, FillRecorded) and one.event.fill.client_order_id == "r1-3-0")
    assert order is not None

    async def work(journal: Journal) -> None:
        late = replace(old.fill, trade_id="late")
        changed = OrderChanged("r1-3-0", order.state, order.venue_order_id, order.filled_qty + late.qty, order.reason)
        await journal.commit(FillRecorded(late, order.cycle_id, order.leg, "recovery", 1, old.marks), changed)

    with_journal(path, work)
    verify(path)
    with reading(path) as db:
        assert db.execute("SELECT count(*) FROM fill WHERE trade_id = 'late'").fetchone()[0] == 1
    again = known_order(path, "binance", "r1-3-0", "", "late")
    assert again is not None
    assert again.is_booked
    rebuild(path)
    verify(path)
    assert restore(path)[1].dump() == restore(path)[1].dump()
    assert sum(fill["trade_id"] == "late" for fill in read_ledger(path)["fills"]) == 1


def test_a_journal_from_before_there_were_hashes_is_archived_too(tmp_path: Path) -> None:
    path = tmp_path / "sim" / "journal.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.executescript((Path(__file__).parents[1] / "journal" / "format_2.sql").read_text())
        db.execute("DELETE FROM snapshot")
        db.commit()
    before = read_ledger(path)
    grow(path, 100, 110, SyntheticRun("r3"))
    assert archive(path, keep=20, portion=30) > 3, "its first one ends before the first hash"
    after = read_ledger(path)
    assert after["fills"][: len(before["fills"])] == before["fills"]
    assert verify(path).events == len(story(path))


@pytest.mark.parametrize("stays", [0, 1, 2, 5])
def test_rows_without_a_hash_may_be_the_first_that_stay(stays: int, tmp_path: Path) -> None:
    """An archive that ends so many rows before the first hash of a journal that had none."""
    path = tmp_path / "sim" / "journal.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.executescript((Path(__file__).parents[1] / "journal" / "format_2.sql").read_text())
        db.execute("DELETE FROM snapshot")
        db.commit()
        (unhashed,) = db.execute("SELECT max(seq) - 1 FROM event").fetchone()  # the last one's hash will cover all before
    grow(path, 100, 110, SyntheticRun("r3"))
    before = story(path)
    portion = unhashed - stays
    assert archive(path, keep=len(before) - portion, portion=portion) == 1
    with closing(sqlite3.connect(path)) as db:
        assert [row[0] for row in db.execute("SELECT hash IS NULL FROM event WHERE seq <= ? AND seq > ?", (unhashed, portion))] == [
            1
        ] * stays
        assert db.execute("SELECT min(seq) FROM event WHERE hash IS NOT NULL AND seq > ?", (portion,)).fetchone()[0] == unhashed + 1
    assert story(path)[: len(before)] == before
    with reading(path) as db:
        assert next(one.seq for one in events(db, portion)) == portion + 1
    assert verify(path).events == len(story(path))
    restore(path)
    load(path)


def test_a_start_takes_as_long_whatever_the_age(tmp_path: Path) -> None:
    """CPU of the same work on journals of which one is three times as old, in one process: no figure of a machine."""
    young, old = tmp_path / "young" / "journal.db", tmp_path / "old" / "journal.db"
    took: dict[Path, float] = {}
    for path, times in ((young, 1), (old, 3)):
        run = SyntheticRun()
        record(path, run.start())
        for n in range(times):
            grow(path, n * 600, (n + 1) * 600, run)  # more cycles than the fold keeps
            archive(path, keep=300, portion=500)
    assert verify(old).events > 2.5 * verify(young).events
    for path in (young, old, young, old, young, old):
        began = time.process_time()
        with_journal(path, _nothing)
        took[path] = min(took.get(path, 1e9), time.process_time() - began)
    assert took[old] < 1.5 * took[young], took


def test_a_backup_has_the_archives_beside_it_each_copied_once(path: Path) -> None:
    assert archive(path) == 5
    ledger = read_ledger(path)
    done = back_up(path)
    copies = done.path.parent / FOLDER
    assert done.archives == 5
    assert {file.name: file.read_bytes() for file in copies.iterdir()} == {file.name: file.read_bytes() for file in files(path)}
    assert {file.stat().st_mode & 0o777 for file in (copies, *copies.iterdir())} == {0o700, 0o600}
    assert read_ledger(done.path) == ledger  # of the backup alone, with what lies beside it
    before = {file: file.stat().st_ino for file in copies.iterdir()}
    files(path)[0].unlink()  # what is there already is not looked for again
    grow(path, CYCLES, 2 * CYCLES, SyntheticRun())
    assert archive(path) > 0
    time.sleep(1.1)  # a backup's name has its second
    again = back_up(path)
    assert again.archives == len(list(copies.iterdir())) > 5
    assert {file: file.stat().st_ino for file in before} == before


def test_into_another_folder_a_backup_takes_its_archives_too(path: Path, tmp_path: Path) -> None:
    archive(path)
    (tmp_path / "elsewhere").mkdir()
    done = back_up(path, tmp_path / "elsewhere" / "mine.db")
    shutil.rmtree(path.parent)
    assert len(read_ledger(done.path)["cycles"]) > 0
    assert [file.name for file in (tmp_path / "elsewhere").iterdir() if file.name != FOLDER] == ["mine.db"]


@pytest.mark.parametrize("fault", ["missing", "damaged"])
def test_a_backup_is_made_and_an_archive_that_is_not_whole_is_told(path: Path, fault: str) -> None:
    archive(path)
    third = files(path)[2]
    if fault == "missing":
        third.unlink()
    else:
        third.write_bytes(third.read_bytes()[:-1] + b"?")
    with pytest.raises(UsageError) as refused:
        back_up(path)
    (made,) = backups_of(path)
    assert str(made.path) in str(refused.value)
    assert str(third) in str(refused.value)
    copies = sorted(file.name for file in (made.path.parent / FOLDER).iterdir())
    assert copies == sorted(file.name for file in files(path) if file != third)


def test_whoever_reads_that_an_archive_is_gone_is_told_of_its_copy(path: Path) -> None:
    archive(path)
    done = back_up(path)
    lost = files(path)[1]
    lost.unlink()
    with pytest.raises(UsageError, match="put the copy ") as refused:
        read_ledger(path)
    copy = done.path.parent / FOLDER / lost.name
    assert str(copy) in str(refused.value)
    shutil.copyfile(copy, lost)
    assert len(read_ledger(path)["cycles"]) > 0


def test_a_backup_whose_archives_do_not_fit_is_not_begun(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive(path)
    size = path.stat().st_size
    packed = sum(file.stat().st_size for file in files(path))
    usage = shutil.disk_usage(path.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2 * size + packed - 1))
    with pytest.raises(NoSpace):
        back_up(path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2 * size + packed))
    assert back_up(path).archives == 5
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2 * size))
    time.sleep(1.1)
    assert back_up(path).archives == 5


def test_archiving_keeps_few_pages_of_what_it_reads(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two MB of them for a moment, between what lasts, are what a heap goes on to grow by."""
    opened: list[sqlite3.Connection] = []
    kept: list[int] = []
    add = ArchiveWriter.add

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        opened.append(sqlite3.connect(*arguments, **options))
        return opened[-1]

    def adding(writer: ArchiveWriter, rows: Iterable[Sequence[Any]]) -> None:
        kept.append(opened[-1].execute("PRAGMA cache_size").fetchone()[0])  # the reader of the rows, which was opened last
        add(writer, rows)

    monkeypatch.setattr(ArchiveWriter, "add", adding)
    with opened_with(connect):
        assert archive(path) == 5
    assert set(kept) == {20}


def test_f41_the_folder_of_archives_outlives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows go from the journal once an archive has them: its folder's own name must be on disk by then, too."""
    path = tmp_path / "desk" / "live" / "journal.db"
    grow(path, 1, 40, SyntheticRun())
    synced: list[tuple[str, bool]] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append((os.readlink(f"/proc/self/fd/{descriptor}"), (path.parent / "archives").is_dir()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    assert archive(path) > 0
    assert (str(path.parent), True) in synced


def test_f41_archives_backups_and_their_copies_are_on_disk_whole_and_then_their_names_are(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int | tuple[int, int]] = []  # names in folders, by the inode that has each, and files, with their size
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        facts = os.fstat(descriptor)
        if stat.S_ISDIR(facts.st_mode):
            synced.extend(entry.inode() for entry in os.scandir(descriptor))
        else:
            synced.append((facts.st_ino, facts.st_size))
        fsync(descriptor)

    def are_durable(made: Sequence[Path]) -> bool:
        facts = [file.stat() for file in made]
        last = {what: number for number, what in enumerate(synced)}
        return all(synced.index((one.st_ino, one.st_size)) < last.get(one.st_ino, -1) for one in facts)

    monkeypatch.setattr(os, "fsync", watched)
    assert are_durable([back_up(path).path])
    assert archive(path) == 5
    assert are_durable(files(path))
    done = back_up(path)
    assert are_durable([done.path, *(done.path.parent / FOLDER).iterdir()])


def test_whatever_waits_has_its_turn_between_two_steps_of_archiving(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An order waits for one transaction, or for one slice of events that are packed, and not for all of them."""
    for name in ("_SLICE", "_ROLL_UP", "_SWEEP"):
        monkeypatch.setattr(f"arbtui.journal.archiver.{name}", 20)
    steps: dict[str, list[float]] = {"packed": [], "rolled up": [], "swept": []}
    add = ArchiveWriter.add

    async def work(journal: Journal) -> int:
        now, commit, sweep = asyncio.get_running_loop().time, journal.commit, journal.sweep

        def adding(writer: ArchiveWriter, rows: Sequence[Sequence[Any]]) -> None:
            steps["packed"].append(now())
            add(writer, rows)

        async def committing(*events: Event) -> None:
            if isinstance(events[0], RowsRolledUp):
                steps["rolled up"].append(now())
            await commit(*events)

        async def sweeping(after: int, last: int) -> None:
            steps["swept"].append(now())
            await sweep(after, last)

        monkeypatch.setattr(ArchiveWriter, "add", adding)
        monkeypatch.setattr(journal, "commit", committing)
        monkeypatch.setattr(journal, "sweep", sweeping)
        await journal.keep_tip()
        return await Archiver(journal, KEEP, lambda: journal.seq, PORTION).work()

    assert with_journal(path, work) == 5
    for step, times in steps.items():
        assert len(times) == 5 * 5, step
        assert all(later - earlier > 0.009 for earlier, later in pairwise(times)), step
