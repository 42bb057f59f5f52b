"""Execution: from an opportunity to a cycle that is flat again, with no order sent twice and no leg left behind."""
