"""The console: paints `arbtui.views.ReadModel` and calls `arbtui.views.Controls`. It imports no engine."""
