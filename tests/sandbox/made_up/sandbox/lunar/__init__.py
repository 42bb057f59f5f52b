"""The door of the made-up venue."""
