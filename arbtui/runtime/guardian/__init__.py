"""The guardian: a process of its own that kills an engine which is lost, and cancels its orders."""
