"""The logged disk itself."""

import gc
from pathlib import Path

from arbtui.journal.database import connect
from tests.disk.connection import on_disk


def test_what_a_killed_process_leaves_open_is_closed_with_its_disk_and_changes_no_file(tmp_path: Path) -> None:
    """A collector that came to it later would close it on a disk that is no more; what that raises fails whichever test runs then."""
    path = tmp_path / "journal.db"
    with on_disk(tmp_path):
        connection = connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE event (seq INTEGER)")
        del connection
        gc.collect()
        before = {file.name: file.read_bytes() for file in tmp_path.iterdir() if not file.name.endswith("-shm")}
    gc.collect()
    after = {file.name: file.read_bytes() for file in tmp_path.iterdir() if not file.name.endswith("-shm")}
    assert before == after
    assert before["journal.db-wal"]
