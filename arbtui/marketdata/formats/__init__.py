"""Readers of recordings, one file a format; :mod:`arbtui.marketdata.recording` picks the one that fits."""
