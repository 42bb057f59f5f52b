"""What the doors of the won venues of one kind of interface share (see :mod:`arbtui.exchanges.won`)."""
