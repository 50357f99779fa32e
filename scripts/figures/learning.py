"""The figures of the chapter on learning."""

from drawing import BLUE, GREEN, GREY, INK, LINE, ORANGE, PALE, RED_INK
from figures import figure


@figure(640, 300)
def descent(f):
    f.text(20, 28, "L = (2w - 3)\u00b2, and three steps with a learning rate of 0.05", 14, "start", weight="bold")
    place = lambda w: (70 + (w - 0.3) * 200, 240 - (2 * w - 3) ** 2 * 38)
    f.arrow(70, 240, 560, 240, LINE)
    f.arrow(70, 240, 70, 48, LINE)
    f.text(556, 260, "w", 13)
    f.text(50, 62, "L", 13)
    for w in (0.5, 1, 1.5, 2, 2.5):
        f.line([(place(w)[0], 240), (place(w)[0], 245)], LINE)
        f.text(place(w)[0], 260, w, 11, fill=PALE)
    f.line([place(0.5 + k * 0.05) for k in range(41)], "#2563eb", 2.5)
    steps = [0.5, 0.9, 1.14, 1.284]
    for before, after in zip(steps, steps[1:]):
        f.arrow(*place(before), *place(after), RED_INK, 1.5)
    for w in steps:
        x, y = place(w)
        f.box(x - 4, y - 4, 8, 8, ORANGE, INK)
    f.text(122, 84, "w = 0.5, L = 4, slope -8", 12, "start")
    f.text(202, 180, "0.9", 12, "start")
    f.text(310, 225, "1.5: no loss", 11, "middle", PALE)
    f.text(20, 286, "Where the curve is steep, a step is long. Near the lowest point steps are short.", 12.5, "start")


@figure(720, 290)
def chain(f):
    f.text(20, 28, "x = 2, t = 3, w1 = 0.5, w2 = 1", 14, "start", weight="bold")
    steps = [("x", "2", ""), ("h = w1 x", "1", "-4"), ("r = max(h, 0)", "1", "-4"), ("y = w2 r", "1", "-4"), ("L = (y - t)\u00b2", "4", "")]
    for k, (name, value, back) in enumerate(steps):
        x = 20 + k * 140
        f.cell(x, 56, 104, 34, name, GREY if k in (0, 2) else (ORANGE if k == 4 else BLUE), 12, INK)
        f.text(x + 52, 110, value, 14, weight="bold")
        if k:
            f.arrow(x - 34, 73, x - 2, 73)
        if back:
            f.cell(x, 156, 104, 34, f"dL/d{name[0]} = {back}", GREEN, 12, INK)
            f.arrow(x + 138, 173, x + 106, 173, RED_INK)
    f.line([(632, 116), (632, 173), (578, 173)], RED_INK)
    f.arrow(212, 192, 212, 216, RED_INK)
    f.arrow(492, 192, 492, 216, RED_INK)
    f.cell(130, 218, 164, 34, "dL/dw1 = -4 * x = -8", GREEN, 12, INK)
    f.cell(410, 218, 164, 34, "dL/dw2 = -4 * r = -4", GREEN, 12, INK)
    f.text(20, 140, "forwards: numbers, from left to right", 11.5, "start", PALE)
    f.text(20, 278, "backwards (red): derivatives, from right to left, each made of the one behind it", 11.5, "start", PALE)
