"""OKX (v5, spot): wire decoder, market rules, orders and account."""
