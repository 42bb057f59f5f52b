"""A commit that fails: whoever hears of it first closes the gate, nothing is applied any more, and it is known what is in doubt."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from arbtui.journal.database import Statement
from arbtui.journal.events import Killed, OrderIntended, Recorded
from arbtui.journal.journal import Journal
from arbtui.journal.store import Door
from arbtui.model.errors import JournalFailed
from tests.journal.synthetic import SyntheticRun
from tests.journal.test_journal import DOORS, use


def _intent() -> OrderIntended:
    """An order; recorded twice, SQLite refuses the second as it would on a full disk."""
    intent = SyntheticRun().intents(0)[1]
    assert isinstance(intent, OrderIntended)
    return intent


class Applied:
    """A journal's ``fold`` that only writes down what it was given."""

    def __init__(self) -> None:
        self.events: list[Recorded] = []

    def __call__(self, at: Recorded) -> Sequence[Statement]:
        self.events.append(at)
        return ()


@pytest.mark.parametrize("door", DOORS)
def test_an_event_is_applied_before_record_returns_and_durable_only_when_it_was_waited_for(tmp_path: Path, door: Door) -> None:
    async def what(journal: Journal) -> None:
        applied = journal.fold = Applied()
        before = journal.durable_seq
        durable = journal.record(_intent(), Killed("KEY", "", 1))
        assert [at.seq for at in applied.events] == [before + 1, before + 2]
        if door == "aio":
            assert journal.durable_seq == before
        await durable
        assert journal.durable_seq == journal.seq == before + 2

    use(tmp_path / "journal.db", door, what)


@pytest.mark.parametrize("door", DOORS)
def test_after_a_failure_nothing_is_numbered_or_applied(tmp_path: Path, door: Door) -> None:
    async def what(journal: Journal) -> None:
        applied = journal.fold = Applied()
        await journal.commit(_intent())
        known = journal.durable_seq
        with pytest.raises(JournalFailed):
            await journal.commit(_intent())
        told, seq = len(applied.events), journal.seq
        for attempt in (journal.record, journal.commit):
            with pytest.raises(JournalFailed):
                await attempt(Killed("KEY", "", 1))
        journal.post(Killed("KEY", "", 1))
        with pytest.raises(JournalFailed):
            await journal.snapshot({})
        assert (len(applied.events), journal.seq, journal.durable_seq) == (told, seq, known)

    use(tmp_path / "journal.db", door, what)


@pytest.mark.parametrize("door", DOORS)
def test_the_gate_closes_before_anybody_who_waits_goes_on(tmp_path: Path, door: Door) -> None:
    """One who waits sends an order next: by then the callback must have been."""

    async def what(journal: Journal) -> None:
        said: list[str] = []

        async def send(name: str) -> None:
            try:
                await journal.commit(Killed(name, "", 1))
            except JournalFailed:
                said.append(f"{name} stops")
            else:
                said.append(f"{name} sends")

        await journal.commit(_intent())
        journal.on_failure = lambda _: said.append("gate closed")
        early = [asyncio.create_task(send(f"w{n}")) for n in range(3)]
        await asyncio.sleep(0)  # they have queued, and share the transaction that fails
        with suppress(JournalFailed):  # in virtual time it fails inside the call
            journal.record(_intent())
        late = [asyncio.create_task(send(f"w{n}")) for n in range(3, 6)]
        await asyncio.gather(*early, *late)
        assert said.count("gate closed") == 1
        first_stop = min(index for index, line in enumerate(said) if line.endswith("stops"))
        assert said.index("gate closed") < first_stop
        if door == "aio":
            assert said == ["gate closed", *(f"w{n} stops" for n in range(6))]

    use(tmp_path / "journal.db", door, what)


@pytest.mark.parametrize("door", DOORS)
def test_a_record_that_nobody_waits_for_fails_just_as_loudly(tmp_path: Path, door: Door) -> None:
    async def what(journal: Journal) -> None:
        told: list[JournalFailed] = []
        journal.on_failure = told.append
        await journal.commit(_intent())
        with suppress(JournalFailed):
            journal.record(_intent())
        with pytest.raises(JournalFailed):
            await journal.commit()
        assert len(told) == 1
        assert journal.failure is not None

    use(tmp_path / "journal.db", door, what)
