"""Assets that both Upbit (against KRW) and Binance (against USDT) list, most liquid first, with round 2025-26 prices in USDT.

Tickers only, from the venues' public market lists; prices are plausible, not quotes. Left out: stablecoins, and tickers
that mean different assets on the two venues or carry different names there.
"""

#: (ticker, price in USDT); the place is the liquidity rank, from 1.
# fmt: off
REAL_ASSETS: tuple[tuple[str, float], ...] = (
    ("BTC", 98500.0), ("ETH", 3450.0), ("XRP", 2.35), ("SOL", 172.0), ("DOGE", 0.24), ("ADA", 0.82), ("LINK", 17.2),
    ("SUI", 2.95), ("AVAX", 22.5), ("TRX", 0.34), ("BCH", 505.0), ("XLM", 0.41), ("DOT", 3.65), ("NEAR", 2.55),
    ("ETC", 19.2), ("AAVE", 235.0), ("UNI", 7.85), ("APT", 4.35), ("HBAR", 0.27), ("ENA", 0.62), ("ONDO", 0.92),
    ("WLD", 1.08), ("ARB", 0.43), ("PEPE", 0.0000052), ("SHIB", 0.0000127), ("TRUMP", 7.6), ("SEI", 0.29), ("ICP", 4.9),
    ("FIL", 2.35), ("ATOM", 4.2), ("INJ", 11.6), ("POL", 0.235), ("OP", 0.71), ("RENDER", 3.35), ("TAO", 365.0),
    ("ALGO", 0.225), ("VET", 0.0235), ("BONK", 0.0000205), ("TIA", 1.45), ("PENGU", 0.0315), ("JUP", 0.47),
    ("STX", 0.68), ("ETHFI", 1.02), ("CRV", 0.72), ("GRT", 0.091), ("IMX", 0.53), ("VIRTUAL", 1.17), ("LPT", 6.35),
    ("WIF", 0.79), ("SAND", 0.265), ("MANA", 0.285), ("THETA", 0.74), ("AXS", 2.1), ("PYTH", 0.142), ("MOVE", 0.113),
    ("ENS", 20.5), ("COMP", 44.0), ("PENDLE", 4.55), ("IOTA", 0.185), ("XTZ", 0.71), ("NEO", 6.1), ("EGLD", 13.6),
    ("CHZ", 0.041), ("ZRO", 1.92), ("JTO", 1.72), ("KAITO", 1.06), ("CFX", 0.172), ("RAY", 2.65), ("BERA", 2.05),
    ("LAYER", 0.63), ("STRAX", 0.041), ("ZK", 0.054), ("W", 0.083), ("BLUR", 0.079), ("MASK", 1.24), ("BAT", 0.152),
    ("1INCH", 0.245), ("ZIL", 0.0108), ("QTUM", 2.25), ("KAVA", 0.345), ("ZRX", 0.235), ("ARKM", 0.52), ("AXL", 0.31),
    ("ALT", 0.0265), ("ANIME", 0.0162), ("ME", 0.71), ("MORPHO", 1.78), ("PUMP", 0.0046), ("WLFI", 0.165),
    ("XPL", 0.48), ("LINEA", 0.0225), ("AVNT", 0.92), ("0G", 2.6), ("2Z", 0.315), ("BARD", 0.84), ("BIO", 0.118),
    ("BIGTIME", 0.051), ("BABY", 0.046), ("API3", 0.72), ("ANKR", 0.0131), ("ARDR", 0.087), ("ARK", 0.41),
    ("ASTR", 0.0225), ("AUCTION", 9.3), ("AGLD", 0.59), ("AWE", 0.062), ("A", 0.43), ("CELO", 0.27), ("CKB", 0.0045),
    ("COW", 0.33), ("CVC", 0.079), ("CYBER", 1.43), ("DEEP", 0.115), ("DOOD", 0.0041), ("ELF", 0.215), ("ENSO", 1.62),
    ("ERA", 0.54), ("F", 0.0082), ("FF", 0.121), ("FLOCK", 0.23), ("G", 0.0104), ("GAS", 2.9), ("GLM", 0.235),
    ("GMT", 0.0405), ("HIVE", 0.173), ("HOLO", 0.161), ("HOME", 0.0265), ("HYPER", 0.223), ("ICX", 0.117),
    ("ID", 0.148), ("IO", 0.415), ("IOST", 0.0031), ("IQ", 0.0034), ("JST", 0.0385), ("KERNEL", 0.162), ("KITE", 0.087),
    ("KMNO", 0.063), ("KNC", 0.335), ("LA", 0.31), ("LSK", 0.283), ("PROM", 5.2), ("MINA", 0.146), ("MIRA", 0.231),
    ("MMT", 0.43), ("MTL", 0.62), ("NEWT", 0.184), ("NXPC", 0.52), ("ONG", 0.156), ("ONT", 0.108), ("OPEN", 0.34),
    ("ORCA", 1.58), ("PLUME", 0.084), ("POLYX", 0.112), ("POWR", 0.131), ("PROVE", 0.72), ("PUNDIX", 0.305),
    ("QKC", 0.0072), ("RED", 0.37), ("RVN", 0.0112), ("SAHARA", 0.077), ("SC", 0.00285), ("SIGN", 0.068),
    ("SKY", 0.071), ("SOMI", 0.66), ("SOPH", 0.0285), ("SPK", 0.052), ("STEEM", 0.112), ("STORJ", 0.214),
    ("SUN", 0.0222), ("SUPER", 0.52), ("SYRUP", 0.41), ("T", 0.0142), ("TFUEL", 0.031), ("TREE", 0.24), ("VANA", 3.95),
    ("VTHO", 0.00152), ("WAL", 0.37), ("WAXP", 0.0185), ("WCT", 0.235), ("XEC", 0.0000185), ("YGG", 0.138),
    ("ZKC", 0.29),
)
# fmt: on
