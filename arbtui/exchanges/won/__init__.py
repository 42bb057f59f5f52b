"""What won venues of one kind of interface share: JSON web tokens, bid and ask, ``orders/chance``, ``myOrder`` and ``myAsset``."""
