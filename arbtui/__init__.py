"""arbtui: a terminal console that runs a cross-exchange arbitrage engine."""

__version__ = "0.1.0"
