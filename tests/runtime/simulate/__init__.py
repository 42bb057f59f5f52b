"""Tests of `arbtui simulate`."""
