"""Halts of less than everything: what their files say, and that no reader misses or misunderstands one."""

import json
import os
import threading
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from arbtui.model import scoped_halts
from arbtui.model.errors import UsageError
from arbtui.model.scoped_halts import (
    ARCHIVE_NAME,
    FOLDER_NAME,
    NOTICE,
    Depth,
    ScopedHalt,
    ScopedHalts,
    archive_halt,
    depth_of,
    file_name,
    file_of,
    read_halts,
    scope_of,
    write_halt,
)

ROUTE = "route.XRP:upbit>binance"


def halt(scope: str = "exchange.upbit", depth: Depth = Depth.REDUCING, reason: str = "wallet") -> ScopedHalt:
    return ScopedHalt(scope, depth, "CLI", "ann", reason, 1_700_000_000_000)


def depth_at(halts: ScopedHalts, exchange: str = "upbit", asset: str = "XRP", route: str = "XRP:upbit>binance") -> Depth | None:
    return halts.depth((exchange,), (asset,), route)


@pytest.mark.parametrize(
    ("typed", "scope"),
    [
        ("exchange.Upbit", "exchange.upbit"),
        ("symbol.xrp", "symbol.XRP"),
        ("symbol.Upbit:xrp", "symbol.upbit:XRP"),
        ("route.xrp:Upbit>binance", ROUTE),
        ("route.xrp:upbit>CHAIN>Binance", "route.XRP:upbit>chain>binance"),
        ("route.xrp:Upbit/krw>xrp,Chain,binance/xrp>usdt", "route.XRP:upbit/KRW>XRP,chain,binance/XRP>USDT"),
        ("route.xrp:binance/USDT>BTC>xrp,upbit/xrp>KRW", "route.XRP:binance/USDT>BTC>XRP,upbit/XRP>KRW"),
        ("GLOBAL", "global"),
        (" Exchange.upbit ", "exchange.upbit"),
    ],
)
def test_a_scope_is_written_in_one_way(typed: str, scope: str) -> None:
    assert scope_of(typed) == scope


@pytest.mark.parametrize(
    "typed",
    [
        *("", "upbit", "exchange", "exchange.", "venue.upbit", "global.x", "symbol.X RP", "symbol.\n", "symbol." + "X" * 151),
        *("symbol.:XRP", "symbol.upbit:", "symbol.:", "wallet.:XRP", "wallet.upbit:"),  # nothing would fall under it
    ],
)
def test_what_is_no_scope_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match=r"expected global, exchange\.NAME"):
        scope_of(typed)


def test_what_is_no_depth_is_refused() -> None:
    assert depth_of("reducing") is Depth.REDUCING
    with pytest.raises(UsageError, match="expected paused, reducing or halted"):
        depth_of("stopped")


@pytest.mark.parametrize("scope", ["exchange.upbit", "symbol.XRP", "symbol.upbit:XRP", ROUTE, "global", "exchange.../../evil"])
def test_a_halt_is_kept_in_a_file_of_its_own_inside_the_folder(tmp_path: Path, scope: str) -> None:
    made = halt(scope)
    assert write_halt(tmp_path, made) == (made, True)
    (path,) = (tmp_path / FOLDER_NAME).iterdir()
    assert path.name == file_name(scope)
    assert not set(path.name) & set("/:>")
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / FOLDER_NAME).stat().st_mode & 0o777 == 0o700
    assert read_halts(tmp_path) == ((made,), {})
    assert [one.name for one in tmp_path.iterdir()] == [FOLDER_NAME], "nothing is left beside it"


def test_what_each_scope_covers() -> None:
    assert halt("exchange.upbit").covers(("upbit", "binance"), (), "")
    assert not halt("exchange.okx").covers(("upbit", "binance"), (), "")
    assert halt("symbol.XRP").covers((), ("XRP",), "")
    assert not halt("symbol.XR").covers((), ("XRP",), "")
    assert halt("symbol.upbit:XRP").covers(("upbit", "binance"), ("XRP",), "")
    assert not halt("symbol.okx:XRP").covers(("upbit", "binance"), ("XRP",), "")
    assert not halt("symbol.upbit:ADA").covers(("upbit", "binance"), ("XRP",), "")
    assert halt(ROUTE).covers((), (), "XRP:upbit>binance")
    assert not halt(ROUTE).covers((), (), "XRP:binance>upbit")
    assert halt("global").covers((), (), "")


def test_a_halt_only_ever_grows_deeper(tmp_path: Path) -> None:
    deep = halt(depth=Depth.REDUCING)
    write_halt(tmp_path, deep)
    assert write_halt(tmp_path, halt(depth=Depth.PAUSED)) == (deep, False)
    assert write_halt(tmp_path, halt(depth=Depth.REDUCING, reason="again")) == (deep, False)
    deepest = halt(depth=Depth.HALTED)
    assert write_halt(tmp_path, deepest) == (deepest, True)
    assert read_halts(tmp_path) == ((deepest,), {})


def test_a_notices_halt_remembers_who_else_has_set_it(tmp_path: Path) -> None:
    """Only what notices alone have set may end by itself, however the two came together, and over a restart."""
    notices = {depth: replace(halt(depth=depth, reason="maintenance"), source=NOTICE, by="upbit") for depth in Depth}
    for theirs, mine in product(Depth, Depth):
        for first, second in ((notices[theirs], halt(depth=mine)), (halt(depth=mine), notices[theirs])):
            write_halt(tmp_path, first)
            stands, deeper = write_halt(tmp_path, second)
            assert deeper is (second.depth.rank > first.depth.rank)
            assert (stands,) == read_halts(tmp_path)[0]
            assert stands.depth.rank == max(theirs.rank, mine.rank)
            assert not stands.may_end_by_itself
            assert "by ann (CLI)" in stands.in_words()
            assert write_halt(tmp_path, notices[Depth.HALTED])[0].may_end_by_itself is False
            assert "by ann (CLI)" in read_halts(tmp_path)[0][0].in_words()
            archive_halt(tmp_path, file_name("exchange.upbit"))
    write_halt(tmp_path, notices[Depth.PAUSED])
    assert write_halt(tmp_path, notices[Depth.HALTED])[0].may_end_by_itself


def test_only_the_halt_that_was_looked_at_is_taken_away(tmp_path: Path) -> None:
    write_halt(tmp_path, halt(depth=Depth.PAUSED))
    assert archive_halt(tmp_path, file_name("exchange.upbit"), only=halt(depth=Depth.HALTED)) is None
    assert len(read_halts(tmp_path)[0]) == 1
    assert archive_halt(tmp_path, file_name("exchange.upbit"), only=halt(depth=Depth.PAUSED)) is not None
    assert read_halts(tmp_path) == ((), {})


def test_a_file_of_an_earlier_version_is_understood(tmp_path: Path) -> None:
    write_halt(tmp_path, halt())
    path = tmp_path / FOLDER_NAME / file_name("exchange.upbit")
    body = json.loads(path.read_bytes())
    del body["also"]
    path.write_text(json.dumps(body))
    assert read_halts(tmp_path) == ((halt(),), {})
    path.write_text(json.dumps({**body, "also": 1}))
    assert [one.is_doubt for one in read_halts(tmp_path)[0]] == [True]


def test_the_deepest_of_two_writers_at_once_stands(tmp_path: Path) -> None:
    for _ in range(20):
        both = [threading.Thread(target=write_halt, args=(tmp_path, halt(depth=depth))) for depth in (Depth.HALTED, Depth.PAUSED)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert [one.depth for one in read_halts(tmp_path)[0]] == [Depth.HALTED]
        archive_halt(tmp_path, file_name("exchange.upbit"))


def test_what_is_taken_away_is_archived(tmp_path: Path) -> None:
    write_halt(tmp_path, halt())
    body = (tmp_path / FOLDER_NAME / "exchange.upbit.json").read_bytes()
    moved = archive_halt(tmp_path, "exchange.upbit.json")
    assert moved is not None
    assert moved.parent == tmp_path / FOLDER_NAME / ARCHIVE_NAME
    assert moved.read_bytes() == body
    assert read_halts(tmp_path) == ((), {})
    assert archive_halt(tmp_path, "exchange.upbit.json") is None


GOOD = {"scope": "exchange.upbit", "depth": "PAUSED", "source": "CLI", "by": "ann", "reason": "", "ts_ms": 1}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("exchange.upbit.json", b""),
        ("exchange.upbit.json", b"{"),
        ("exchange.upbit.json", b"[]"),
        ("exchange.upbit.json", b"\xff\x00"),
        ("exchange.upbit.json", b"[" * 100_000),
        ("exchange.upbit.json", json.dumps({**GOOD, "depth": "SLOW"}).encode()),
        ("exchange.upbit.json", json.dumps({**GOOD, "scope": "exchange.binance"}).encode()),
        ("exchange.upbit.json", json.dumps({**GOOD, "scope": 5}).encode()),
        ("exchange.upbit.json", json.dumps({**GOOD, "ts_ms": "1"}).encode()),
        ("exchange.upbit.json", json.dumps({**GOOD, "ts_ms": True}).encode()),
        ("exchange.upbit.json", json.dumps({**GOOD, "reason": None}).encode()),
        ("exchange.upbit.json", json.dumps({key: value for key, value in GOOD.items() if key != "by"}).encode()),
        ("exchange.Upbit.json", json.dumps({**GOOD, "scope": "exchange.Upbit"}).encode()),
        ("notes.txt", b"remember the milk"),
        (".exchange.upbit.json.swp", b""),
        (ARCHIVE_NAME, b"a file where the folder belongs"),
    ],
)
def test_a_file_that_cannot_be_understood_holds_back_everything(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / FOLDER_NAME).mkdir()
    (tmp_path / FOLDER_NAME / name).write_bytes(content)
    halts = ScopedHalts(tmp_path)
    assert depth_at(halts, "binance", "ADA", "x") is Depth.REDUCING
    assert list(halts.troubles) == [name]
    assert name in halts.standing[0].in_words()


def test_links_pipes_and_folders_in_its_place_hold_back_everything(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER_NAME
    folder.mkdir()
    (tmp_path / "good").write_text(json.dumps(GOOD))
    (folder / "exchange.upbit.json").symlink_to(tmp_path / "good")
    os.mkfifo(folder / "symbol.XRP.json")
    (folder / "symbol.ADA.json").mkdir()
    assert set(read_halts(tmp_path)[1]) == {"exchange.upbit.json", "symbol.XRP.json", "symbol.ADA.json"}


def test_a_folder_that_is_none_holds_back_everything(tmp_path: Path) -> None:
    (tmp_path / FOLDER_NAME).write_text("")
    assert depth_at(ScopedHalts(tmp_path)) is Depth.REDUCING


def test_a_halt_over_a_file_that_cannot_be_understood_leaves_both_in_force(tmp_path: Path) -> None:
    (tmp_path / FOLDER_NAME).mkdir()
    (tmp_path / FOLDER_NAME / "exchange.upbit.json").write_bytes(b"?")
    assert write_halt(tmp_path, halt(depth=Depth.HALTED))[1]
    halts = ScopedHalts(tmp_path)
    assert depth_at(halts) is Depth.HALTED
    assert depth_at(halts, "binance") is Depth.REDUCING


def test_an_operator_may_name_a_scope_or_a_file_that_stands(tmp_path: Path) -> None:
    write_halt(tmp_path, halt())
    (tmp_path / FOLDER_NAME / "notes.txt").touch()
    (tmp_path / FOLDER_NAME / ARCHIVE_NAME).mkdir()
    assert file_of(tmp_path, "Exchange.UPBIT") == "exchange.upbit.json"
    assert file_of(tmp_path, "notes.txt") == "notes.txt"
    for wrong in (ARCHIVE_NAME, "other.txt"):
        with pytest.raises(UsageError):
            file_of(tmp_path, wrong)


class TestAReaderThatRuns:
    def test_sees_what_is_written_and_taken_away_at_its_next_look(self, tmp_path: Path) -> None:
        halts = ScopedHalts(tmp_path)
        assert depth_at(halts) is None
        write_halt(tmp_path, halt())
        halts.look()
        assert depth_at(halts) is Depth.REDUCING
        assert depth_at(halts, "binance") is None
        archive_halt(tmp_path, "exchange.upbit.json")
        halts.look()
        assert depth_at(halts) is None

    def test_the_deepest_one_counts(self, tmp_path: Path) -> None:
        write_halt(tmp_path, halt(depth=Depth.PAUSED))
        write_halt(tmp_path, halt("symbol.XRP", Depth.HALTED))
        write_halt(tmp_path, halt("global", Depth.REDUCING))
        halts = ScopedHalts(tmp_path)
        assert depth_at(halts) is Depth.HALTED
        assert depth_at(halts, asset="ADA") is Depth.REDUCING

    def test_sees_two_writes_within_one_tick_of_the_file_system(self, tmp_path: Path) -> None:
        """The second one changes nothing that the folder tells: its time is set back to that of the first."""
        write_halt(tmp_path, halt("symbol.ADA"))
        folder = tmp_path / FOLDER_NAME
        before = folder.stat()
        halts = ScopedHalts(tmp_path)
        (folder / "exchange.upbit.json").write_text(json.dumps({**GOOD, "depth": "HALTED"}))
        os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))
        halts._stamp = halts._stamp_now()  # the change of its inode, too, fell into the same tick
        halts.look()
        assert depth_at(halts) is Depth.HALTED

    def test_reads_an_old_folder_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_halt(tmp_path, halt())
        written_s = (tmp_path / FOLDER_NAME).stat().st_mtime_ns / 1e9
        read = list[Path]()
        whole = read_halts

        def counted(folder: Path) -> object:
            read.append(folder)
            return whole(folder)

        monkeypatch.setattr(scoped_halts, "read_halts", counted)
        halts = ScopedHalts(tmp_path, lambda: written_s + 3.0)
        for _ in range(1000):
            halts.look()
        assert len(read) == 1
        write_halt(tmp_path, halt("symbol.XRP", Depth.HALTED))
        halts.look()
        assert len(read) == 2
        assert depth_at(halts, "binance") is Depth.HALTED

    def test_a_clock_that_goes_back_never_trusts_the_folder(self, tmp_path: Path) -> None:
        write_halt(tmp_path, halt("symbol.ADA"))
        halts = ScopedHalts(tmp_path, lambda: 0.0)
        (tmp_path / FOLDER_NAME / "exchange.upbit.json").write_text(json.dumps({**GOOD, "depth": "HALTED"}))
        halts._stamp = halts._stamp_now()
        halts.look()
        assert depth_at(halts) is Depth.HALTED

    def test_reading_sees_a_file_that_is_written_in_place(self, tmp_path: Path) -> None:
        write_halt(tmp_path, halt(depth=Depth.PAUSED))
        written_s = (tmp_path / FOLDER_NAME).stat().st_mtime_ns / 1e9
        halts = ScopedHalts(tmp_path, lambda: written_s + 3.0)
        with (tmp_path / FOLDER_NAME / "exchange.upbit.json").open("w") as file:
            file.write(json.dumps({**GOOD, "depth": "HALTED"}))
        before = halts.version
        halts.read()
        assert depth_at(halts) is Depth.HALTED
        assert halts.version == before + 1
