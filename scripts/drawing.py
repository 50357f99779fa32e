"""Drawings as SVG, on a ground of their own, so that they can be read on light pages and on dark ones."""

GROUND, INK, PALE, LINE = "#fbfaf6", "#24292f", "#6b7280", "#9aa3ad"
BLUE, ORANGE, GREEN, RED, GREY = "#cfe3f7", "#fbdcb4", "#cdebcf", "#f6c9c6", "#e9e8e2"
RED_INK = "#b42318"


def number(value):
    return f"{value:.1f}".rstrip("0").rstrip(".")


def wide(words, size, mono):
    """How wide words are in a wide font."""
    return len(str(words)) * size * (0.61 if mono else 0.56)


class Canvas:
    def __init__(self, width, height):
        self.size = (width, height)
        self.parts = []

    def box(self, x, y, w, h, fill=GREY, stroke=LINE, width=1):
        place = f'x="{number(x)}" y="{number(y)}" width="{number(w)}" height="{number(h)}"'
        self.parts.append(f'<rect {place} fill="{fill}" stroke="{stroke}" stroke-width="{number(width)}"/>')

    def text(self, x, y, words, size=13, anchor="middle", fill=INK, weight="normal", mono=False):
        words = str(words)
        length = wide(words, size, mono)
        left = x - {"start": 0, "middle": length / 2, "end": length}[anchor]
        if left < 0 or left + length > self.size[0] or not size <= y <= self.size[1] - size * 0.3:
            raise ValueError(f"this text may be clipped: {words}")
        words = words.replace("&", "&amp;").replace("<", "&lt;")
        family = "monospace" if mono else "sans-serif"
        style = f'font-family="{family}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{fill}"'
        self.parts.append(f'<text x="{number(x)}" y="{number(y)}" {style} xml:space="preserve">{words}</text>')

    def cell(self, x, y, w, h, words, fill=GREY, size=13, stroke=LINE, width=1, mono=False):
        """A box with words in its middle."""
        if wide(words, size, mono) > w:
            raise ValueError(f"this is wider than its box: {words}")
        self.box(x, y, w, h, fill, stroke, width)
        self.text(x + w / 2, y + h / 2 + size * 0.35, words, size, mono=mono)

    def line(self, points, stroke=INK, width=1.5, dash=None):
        path = " ".join(f"{number(x)},{number(y)}" for x, y in points)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{stroke}" stroke-width="{width}"{dashes}/>')

    def arrow(self, x1, y1, x2, y2, stroke=INK, width=1.5):
        """A line with a head at its end."""
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        ux, uy = (x2 - x1) / length, (y2 - y1) / length
        self.line([(x1, y1), (x2 - 5 * ux, y2 - 5 * uy)], stroke, width)
        wings = [(x2, y2), (x2 - 8 * ux - 4 * uy, y2 - 8 * uy + 4 * ux), (x2 - 8 * ux + 4 * uy, y2 - 8 * uy - 4 * ux)]
        points = " ".join(f"{number(x)},{number(y)}" for x, y in wings)
        self.parts.append(f'<polygon points="{points}" fill="{stroke}"/>')

    def grid(self, x, y, rows, side=34, fill=lambda r, c: GREY, size=13):
        """A matrix of numbers."""
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                self.cell(x + c * side, y + r * side, side, side, value, fill(r, c), size)

    def svg(self):
        w, h = self.size
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}">'
        ground = f'<rect width="{w}" height="{h}" rx="6" fill="{GROUND}"/>'
        return "\n".join([head, ground, *self.parts, "</svg>"]) + "\n"
