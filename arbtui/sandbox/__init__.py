"""The sandbox: a local Upbit and a local Binance that speak the venues' own protocols, with play money on the venue core."""
