"""Risk: four tiers that every order passes, and the kill switch."""
