"""Which assets are the same thing at two venues: a hand-kept table, and quarantine for everything that is not in it."""

from arbtui.exchanges.assets.registry import Asset, AssetRegistry, Pairing, Quarantine, Quarantined, SignOff

__all__ = ["Asset", "AssetRegistry", "Pairing", "Quarantine", "Quarantined", "SignOff"]
