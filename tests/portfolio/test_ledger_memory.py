"""The ledger of a journal that is three times as long takes no more memory: its rows are told one by one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from arbtui.portfolio.kept_rows import NEAR, KeptRows, RowFile
from arbtui.portfolio.ledger import ledger_json, open_ledger, read_ledger
from tests.journal.recorded import record
from tests.journal.synthetic import SyntheticRun

#: Prints how many fills the ledger tells of, and by how many kB it made the process larger.
_MEASURE = """
import sys
from pathlib import Path
from arbtui.portfolio.ledger import ledger_json, open_ledger
def peak():  # that of getrusage begins with the parent's
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
before = peak()
with open_ledger(Path(sys.argv[1])) as ledger:
    fills = sum(piece.count('"trade_id"') for piece in ledger_json(ledger))
print(fills, peak() - before)
"""


def measured(path: Path) -> tuple[int, int]:
    done = subprocess.run([sys.executable, "-c", _MEASURE, str(path)], capture_output=True, text=True, check=True, timeout=300)
    fills, grown = map(int, done.stdout.split())
    return fills, grown


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of a process from /proc")
def test_peak_memory_does_not_grow_with_the_fills(tmp_path: Path) -> None:
    path = tmp_path / "sim" / "journal.db"
    run = SyntheticRun()
    few, many = NEAR * 11 // 10, NEAR * 33 // 10  # more than any part of it holds, already
    record(path, run.start(), *(run.cycle(number) for number in range(few)))
    small = measured(path)
    record(path, *(run.cycle(number) for number in range(few, many)))
    large = measured(path)
    assert (small[0], large[0]) == (2 * few, 2 * many)
    assert large[1] < 1.5 * small[1], f"{few} cycles took {small[1]} kB, {many} took {large[1]} kB"


def test_rows_keep_their_order_and_their_changes_wherever_they_are() -> None:
    file = RowFile()
    rows = KeptRows(file, "orders")
    for number in range(3 * NEAR):
        rows.add(str(number), {"n": number, "state": "SENDING"}, listed=number % 2 == 0)
    first, last = rows.get("0"), rows.get(str(3 * NEAR - 1))
    assert first is not None
    assert last is not None
    first["state"] = last["state"] = "FILLED"
    rows.list("3")
    rows.list(str(3 * NEAR - 1))
    rows.list("nobody")
    rows.add("4", {"n": 4, "state": "AGAIN"}, listed=False)
    assert rows.get("nobody") is None
    told = list(rows)
    assert [row["n"] for row in told] == sorted([*range(0, 3 * NEAR, 2), 3, 3 * NEAR - 1])
    assert len(rows) == len(told)
    assert [row["n"] for row in told if row["state"] == "FILLED"] == [0, 3 * NEAR - 1]
    assert [row["n"] for row in told if row["state"] == "AGAIN"] == [4], "it keeps its place, and what was listed stays so"
    file.close()


def test_the_text_is_what_json_makes_of_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "sim" / "journal.db"
    run = SyntheticRun()
    record(path, run.start(), run.cycle(0), run.intents(1), run.fill(1, 0), run.trouble(), run.told())
    with open_ledger(path) as ledger:
        text = "".join(ledger_json(ledger))
    assert text == json.dumps(read_ledger(path), indent=2, ensure_ascii=False) + "\n"
    empty = tmp_path / "none" / "journal.db"
    record(empty)
    with open_ledger(empty) as ledger:
        assert json.loads("".join(ledger_json(ledger))) == read_ledger(empty)
