"""The journal: what has happened, durably, in order, once; below the venues, above the model."""
