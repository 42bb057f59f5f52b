"""The local Bybit."""
