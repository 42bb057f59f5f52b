"""Whether the tables of orders and cycles tell the same ones open as the events do.

A start goes by the events alone; a look from the side (the guardian, `check`) counts what is open in the tables. Comparing every row costs
70 us an event and is left to `journal verify`; what is open is compared at each start.
"""

from pathlib import Path

from arbtui.journal.database import out_of_step
from arbtui.journal.reader import reading
from arbtui.model.order import OrderState
from arbtui.portfolio.portfolio import Portfolio

_FINAL = ", ".join(f"'{state.value}'" for state in OrderState if state.is_final)


def check_open_tables(path: Path, portfolio: Portfolio) -> None:
    """Compare the journal at ``path``, which nobody writes meanwhile, with its ``portfolio``. A quarter of a second for a million orders.

    Raises:
        UsageError: an order or a cycle is open in one of them only; the message names it.
    """
    with reading(path) as db:
        orders = {row[0] for row in db.execute(f"SELECT client_order_id FROM order_ WHERE state NOT IN ({_FINAL})")}
        cycles = {row[0] for row in db.execute("SELECT cycle_id FROM cycle WHERE state = 'OPEN'")}
    for table, told, known in (
        ("order_", orders, {order.intent.client_order_id for order in portfolio.open_orders}),
        ("cycle", cycles, {cycle.id for cycle in portfolio.open_cycles}),
    ):
        for wrong in sorted(told ^ known):
            where = "the events have it open, and the table has not" if wrong in known else "the table has it open, and the events have not"
            raise out_of_step(path, f"a row of table {table} ({wrong}) is not what its events say: {where}")
