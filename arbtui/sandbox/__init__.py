"""The sandbox: a local Upbit and a local Binance with the venues' own protocols and simulated money, on the venue core."""
