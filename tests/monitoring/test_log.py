"""The log: private, rotating, and in the console's ring."""

import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from arbtui.monitoring import log


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    log.close_logging()


def test_lines_reach_the_file_and_the_ring(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ring = log.set_up_logging(tmp_path)
    logging.getLogger("arbtui.engine").info("started %d\nroutes", 40)
    logging.getLogger("arbtui.engine").debug("too fine")
    line = ring.lines()[-1]
    assert (line.level, line.text) == ("INFO", "started 40 routes")
    assert "INFO arbtui.engine: started 40" in (tmp_path / "arbtui.log").read_text()
    assert ring.version == 1
    assert capfd.readouterr() == ("", "")


def test_the_file_is_its_owner_s_alone_also_after_rotation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MAX_BYTES", 200)
    log.set_up_logging(tmp_path)
    for n in range(20):
        logging.getLogger("arbtui").warning("line %d of a file that is soon full", n)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 1 + log.BACKUPS
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file on which no byte has room")
def test_a_disk_that_is_full_costs_the_file_a_line_and_nobody_a_traceback(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ring = log.set_up_logging(tmp_path)
    handler = next(each for each in logging.getLogger("arbtui").handlers if isinstance(each, logging.FileHandler))
    assert handler.stream is not None
    handler.stream.close()
    handler.stream = open("/dev/full", "w")  # noqa: SIM115 (the handler closes it)
    logging.getLogger("arbtui").error("the journal failed")
    log.close_logging()
    assert ring.lines()[-1].text == "the journal failed"
    assert capfd.readouterr() == ("", "")


def test_the_ring_is_bounded_and_its_snapshot_stable(tmp_path: Path) -> None:
    ring = log.set_up_logging(None)
    logger = logging.getLogger("arbtui")
    for n in range(log.RING_LINES + 10):
        logger.info("line %d", n)
    lines = ring.lines()
    assert len(lines) == log.RING_LINES
    assert ring.lines() is lines
    logger.info("one more")
    assert ring.lines() is not lines
    assert lines[-1].text == f"line {log.RING_LINES + 9}"


def test_an_exception_is_one_line_in_the_ring_and_whole_in_the_file(tmp_path: Path) -> None:
    ring = log.set_up_logging(tmp_path)
    try:
        raise ValueError("bad frame")
    except ValueError:
        logging.getLogger("arbtui").exception("decoder failed")
    assert ring.lines()[-1].text == "decoder failed: ValueError: bad frame"
    assert "Traceback" in (tmp_path / "arbtui.log").read_text()


def test_the_loop_s_complaints_are_kept_too(tmp_path: Path) -> None:
    ring = log.set_up_logging(None)
    logging.getLogger("asyncio").error("Task exception was never retrieved")
    logging.getLogger("asyncio").info("chatter")
    assert [line.text for line in ring.lines()] == ["Task exception was never retrieved"]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        log.set_up_logging(tmp_path / "absent")


def test_nothing_steers_a_terminal_or_forges_a_line(tmp_path: Path) -> None:
    forged = "2026-11-28T00:00:00.000Z INFO arbtui: all is well"
    ring = log.set_up_logging(tmp_path)
    logger = logging.getLogger("arbtui")
    try:
        logger.warning("venue says \x1b[2J\x9b31m\u202e%s\u2028%s\r%s", f"\n{forged}", forged, forged)
        try:
            raise ValueError(f"\x1b]0;x\x07\n{forged}")
        except ValueError:
            logger.exception("an error\x85")
    finally:
        log.close_logging()
    text = (tmp_path / log.FILE_NAME).read_text(encoding="utf-8")
    assert r"\u001b[2J\u009b31m\u202e" in text
    assert r"\u001b]0;x\u0007" in text
    shown = text + "".join(line.text for line in ring.lines())
    assert not {letter for letter in shown if not letter.isprintable()} - {"\n"}
    records = [line for line in text.split("\n") if line and not line.startswith("    ")]
    assert [line.split(" ", 1)[1].partition(": ")[2][:10] for line in records] == ["venue says", "an error"]
