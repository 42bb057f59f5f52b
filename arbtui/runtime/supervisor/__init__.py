"""The supervisor: a process of its own that starts a profile's engine again when it has died."""
