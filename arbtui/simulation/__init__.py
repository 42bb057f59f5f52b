"""Simulated venues without a network: the market simulator, and one venue core that fills our orders against any external book."""
