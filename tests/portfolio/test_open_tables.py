"""What the tables tell open is what the events leave open, or a start refuses."""

from pathlib import Path

import pytest

from arbtui.model.errors import UsageError
from arbtui.portfolio.open_tables import check_open_tables
from arbtui.portfolio.projections import ProjectingPortfolio, rebuild
from arbtui.portfolio.restore import restore
from tests.journal.recorded import record, tamper
from tests.journal.synthetic import SyntheticRun


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal with an ended cycle, and one whose first order is filled and whose second is under way."""
    file, run = tmp_path / "profile" / "live" / "journal.db", SyntheticRun()
    record(file)
    record(file, run.start(), run.cycle(0), run.intents(1), run.fill(1, 0), fold=ProjectingPortfolio(restore(file)[1]))
    return file


def test_tables_that_agree_pass(path: Path) -> None:
    portfolio = restore(path)[1]
    assert [order.intent.client_order_id for order in portfolio.open_orders] == ["r1-1-1"]
    check_open_tables(path, portfolio)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE order_ SET state = 'FILLED' WHERE client_order_id = 'r1-1-1'", r"table order_ \(r1-1-1\).*the events have it open"),
        ("DELETE FROM order_ WHERE client_order_id = 'r1-1-1'", r"table order_ \(r1-1-1\).*the events have it open"),
        ("UPDATE order_ SET state = 'SENDING' WHERE client_order_id = 'r1-0-0'", r"table order_ \(r1-0-0\).*the table has it open"),
        ("UPDATE cycle SET state = 'HEDGED' WHERE cycle_id = 'r1-1'", r"table cycle \(r1-1\).*the events have it open"),
    ],
)
def test_a_table_that_hides_or_invents_an_open_order_or_cycle_is_refused_until_it_is_made_anew(
    path: Path, statement: str, said: str
) -> None:
    tamper(path, statement)
    with pytest.raises(UsageError, match=said) as refused:
        check_open_tables(path, restore(path)[1])
    assert "arbtui journal rebuild" in str(refused.value)
    rebuild(path)
    check_open_tables(path, restore(path)[1])
