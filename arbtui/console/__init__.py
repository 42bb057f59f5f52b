"""The console: paints what `arbtui.views.ReadModel` says and calls `arbtui.views.Controls`. It imports no engine."""
