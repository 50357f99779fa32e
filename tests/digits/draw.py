#!/usr/bin/env python3
"""Draws the ten digits beside this file: no font and no sample of a data set, but strokes as a hand would lead a pen.

A digit is a few curves through points (Catmull-Rom), followed by a round pen whose pressure and path waver; paper has
grain and shadows. What is drawn is decided by the numbers below, so that the same files come out again:

    pip install numpy==2.4.6 pillow==13.0.0 && tests/digits/draw.py
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

HERE = Path(__file__).parent

# Curves in a box of 100 x 140, x to the right and y down.
STROKES = {
    0: [[(56, 6), (24, 22), (10, 72), (30, 128), (66, 130), (90, 84), (82, 28), (52, 4), (40, 12)]],
    1: [[(34, 34), (58, 6), (56, 60), (50, 136)]],
    2: [[(16, 36), (36, 8), (72, 14), (78, 46), (48, 92), (12, 130), (14, 132), (50, 126), (96, 132)]],
    3: [[(18, 18), (52, 4), (78, 24), (62, 54), (38, 64), (40, 65), (80, 78), (80, 114), (48, 136), (12, 120)]],
    4: [[(44, 4), (28, 44), (10, 80), (12, 82), (52, 78), (92, 76)], [(70, 44), (66, 88), (62, 138)]],
    5: [[(30, 10), (26, 38), (20, 64), (22, 64), (54, 56), (82, 84), (70, 122), (38, 134), (10, 118)],
        [(30, 10), (58, 10), (88, 4)]],
    6: [[(72, 6), (38, 34), (16, 84), (28, 128), (62, 132), (80, 104), (62, 78), (32, 86), (18, 104)]],
    7: [[(10, 14), (48, 14), (86, 8), (84, 12), (64, 62), (46, 134)]],
    8: [[(74, 26), (50, 6), (24, 22), (36, 52), (66, 80), (76, 112), (46, 134), (20, 112), (36, 78), (66, 54), (78, 28),
         (64, 8)]],
    9: [[(78, 34), (52, 8), (22, 26), (22, 58), (48, 68), (74, 44), (80, 26), (80, 28), (76, 84), (64, 136)]],
}

# Digit: file, canvas (width, height), place and height of the digit, slant, pen width as a share of the height, pressure,
# ink and paper (grey or red, green, blue), kind of paper, seed.
PICTURES = {
    0: ("0-marker.png", (420, 380), (150, 60), 240, 0.10, 0.110, 0.10, 25, 250, "even", 10),
    1: ("1-fineliner.png", (300, 520), (130, 60), 300, 0.06, 0.018, 0.25, 30, 255, "even", 11),
    2: ("2-pencil.jpg", (640, 480), (360, 170), 250, 0.12, 0.035, 0.30, 95, 225, "photo", 12),
    3: ("3-chalk.png", (360, 360), (40, 130), 190, 0.00, 0.070, 0.35, 235, 38, "grain", 13),
    4: ("4-blue-ballpoint.jpg", (900, 700), (120, 330), 280, 0.15, 0.030, 0.25, (30, 50, 150), (244, 240, 228), "photo", 14),
    5: ("5-transparent.png", (256, 256), (90, 70), 130, 0.05, 0.090, 0.15, (160, 20, 30), None, "even", 15),
    6: ("6-tiny.png", (40, 52), (14, 16), 26, 0.08, 0.120, 0.10, 20, 245, "even", 16),
    7: ("7-brush.png", (500, 400), (250, 40), 300, 0.10, 0.140, 0.45, 15, 232, "grain", 17),
    8: ("8-white-on-blue.jpg", (480, 640), (230, 300), 260, 0.05, 0.060, 0.20, (240, 240, 235), (28, 52, 110), "grain", 18),
    9: ("9-large.png", (1400, 1100), (700, 180), 760, 0.08, 0.050, 0.20, 60, 250, "even", 19),
}


def curve(points, steps=60):
    """Points on the Catmull-Rom spline through the given ones."""
    p = np.array([points[0], *points, points[-1]], float)
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:]):
        pieces.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate([*pieces, p[-1:]])


def wavering(rng, length, size):
    """A slow random walk around 0 with about this standard deviation."""
    knots = rng.normal(0, size, max(4, length // 40))
    return np.interp(np.linspace(0, len(knots) - 1, length), np.arange(len(knots)), knots)


def coverage(digit, canvas, place, height, slant, pen, pressure, rng):
    """How much of each pixel is inked, 0 to 1; drawn four times as large and averaged."""
    zoom = 4
    ys, xs = np.mgrid[0 : canvas[1] * zoom, 0 : canvas[0] * zoom]
    ink = np.zeros(ys.shape, bool)
    for stroke in STROKES[digit]:
        jittered = [(x + rng.normal(0, 2.0), y + rng.normal(0, 2.0)) for x, y in stroke]
        path = curve(jittered) / 140 * height
        path += np.stack([wavering(rng, len(path), height * 0.006), wavering(rng, len(path), height * 0.006)], 1)
        path[:, 0] += slant * (height - path[:, 1])
        path = (path + place) * zoom
        along = np.linspace(0, 1, len(path))
        taper = 1 - 0.5 * pressure * np.maximum(0, along - 0.8) / 0.2
        radii = pen * height * zoom / 2 * taper * (1 + wavering(rng, len(path), pressure / 3))
        for (x, y), r in zip(path, np.maximum(radii, 0.4 * zoom)):
            x0, x1, y0, y1 = int(x - r), int(x + r) + 2, int(y - r), int(y + r) + 2
            part = (slice(max(y0, 0), max(y1, 0)), slice(max(x0, 0), max(x1, 0)))
            ink[part] |= (xs[part] - x) ** 2 + (ys[part] - y) ** 2 <= r * r
    return ink.reshape(canvas[1], zoom, canvas[0], zoom).mean((1, 3))


def draw(digit):
    name, canvas, place, height, slant, pen, pressure, ink, paper, kind, seed = PICTURES[digit]
    rng = np.random.default_rng(seed)
    alpha = coverage(digit, canvas, np.array(place, float), height, slant, pen, pressure, rng)
    if kind != "even":  # The tooth of the paper takes ink unevenly.
        alpha = alpha * np.clip(1 - rng.gamma(1.0, 0.12, alpha.shape), 0.3, 1)
    colour = np.broadcast_to(np.array(ink, float), 3)
    if paper is None:
        pixels = np.dstack([np.broadcast_to(colour, (*alpha.shape, 3)), alpha * 255])
        Image.fromarray(pixels.round().astype(np.uint8), "RGBA").save(HERE / name, optimize=True)
        return
    ground = np.broadcast_to(np.array(paper, float), (*alpha.shape, 3)).copy()
    if kind == "photo":  # Lit from one side.
        light = np.linspace(1.0, 0.86, canvas[0])[None, :, None] * np.linspace(1.0, 0.95, canvas[1])[:, None, None]
        ground *= light
    pixels = ground + (colour - ground) * alpha[:, :, None]
    if kind != "even":
        pixels += rng.normal(0, 4, alpha.shape)[:, :, None]
    image = Image.fromarray(np.clip(pixels, 0, 255).round().astype(np.uint8), "RGB")
    if kind == "photo":
        image = image.filter(ImageFilter.GaussianBlur(1.0))
    if name.endswith(".jpg"):
        image.save(HERE / name, quality=80)
    else:
        image.convert("L").save(HERE / name, optimize=True)


for digit in PICTURES:
    draw(digit)
