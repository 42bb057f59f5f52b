"""A drawing as SVG: text stays text, and nothing outside the file is needed."""

from html import escape

from arbtui.runtime.load_test.plot.drawing import Box, Dot, Drawing, Line, Shape


def svg(drawing: Drawing) -> str:
    """The whole file."""
    width, height = drawing.width, drawing.height
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            'font-family="Menlo, Consolas, monospace">',
            f'<rect width="{width}" height="{height}" fill="{drawing.background}"/>',
            *(_element(shape) for shape in drawing.shapes),
            "</svg>\n",
        ]
    )


def _element(shape: Shape) -> str:
    if isinstance(shape, Line):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
        dashes = ' stroke-dasharray="4 4"' if shape.dashed else ""
        return f'<polyline points="{points}" fill="none" stroke="{shape.color}" stroke-width="{shape.width:g}"{dashes}/>'
    if isinstance(shape, Dot):
        return f'<circle cx="{shape.x:.1f}" cy="{shape.y:.1f}" r="{shape.radius:g}" fill="{shape.color}"/>'
    if isinstance(shape, Box):
        return f'<rect x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" height="{shape.height:.1f}" fill="{shape.color}"/>'
    return (
        f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" fill="{shape.color}" font-size="{shape.size:g}" '
        f'text-anchor="{shape.anchor}">{escape(shape.text)}</text>'
    )
