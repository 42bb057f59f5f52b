"""Bybit in the sandbox."""
