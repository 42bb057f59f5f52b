"""Tests of the local OKX."""
