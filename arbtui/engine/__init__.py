"""The multi-symbol engine: one update in, decisions out; the only writer of state."""
