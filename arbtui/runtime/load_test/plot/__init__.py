"""The plot of a load test: one drawing of shapes, written as SVG and as PNG."""
