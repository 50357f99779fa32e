"""The figures of the first chapters and of the way forward."""

from drawing import BLUE, GREEN, GREY, GROUND, INK, LINE, ORANGE, PALE, number
from figures import figure


@figure(720, 240)
def invocations(f):
    f.text(20, 28, "y as 1,024 Reals of four columns each, row after row", 14, "start", weight="bold")
    for group in range(3):
        x = 20 + group * 200
        f.box(x, 70, 180, 52, GROUND, INK, 1.5)
        f.text(x + 90, 62, f"workgroup {[0, 1, 15][group]}: 64 invocations", 12, fill=PALE)
        first = [0, 64, 960][group]
        labels = [first, first + 1, "...", first + 63]
        for k, label in enumerate(labels):
            f.cell(x + 8 + k * 42, 84, 38, 26, label, BLUE if k != 2 else GROUND, 12)
            if k != 2:
                f.arrow(x + 27 + k * 42, 124, x + 27 + k * 42, 160)
                f.cell(x + 8 + k * 42, 164, 38, 26, "y", ORANGE, 12)
    f.text(410, 101, "...", 12)
    f.text(628, 100, "16 groups", 13, "start", fill=PALE)
    f.text(20, 218, "The invocation of number index adds bias number index % 16: 64 columns are 16 Reals.", 13, "start")


def chain(f, x, y, steps, back=False):
    """Boxes after one another, each a step with what it does below its name."""
    for k, (name, shape, fill) in enumerate(steps):
        left = x + k * 118
        f.box(left, y, 100, 46, fill, INK)
        f.text(left + 50, y + 20, name, 12)
        f.text(left + 50, y + 37, shape, 10.5, fill=PALE)
        if k + 1 < len(steps):
            ends = (left + 117, left + 101) if back else (left + 101, left + 117)
            f.arrow(ends[0], y + 23, ends[1], y + 23)


@figure(740, 330)
def plan(f):
    f.text(16, 26, "Forwards: what the network says, and how wrong it is", 14, "start", weight="bold")
    forward = [
        ("gather", "64, 28, 28, 1", GREY),
        ("conv2d", "64, 26, 26, 32", BLUE),
        ("relu", "64, 26, 26, 32", GREY),
        ("max pool", "64, 13, 13, 32", GREY),
        ("dense, relu", "64, 64", BLUE),
        ("dense_1", "64, 10", BLUE),
    ]
    chain(f, 16, 42, forward)
    f.arrow(656, 90, 656, 116)
    f.cell(606, 118, 100, 46, "loss", ORANGE, 13)
    f.arrow(656, 166, 656, 192)
    f.text(16, 180, "Backwards: how the loss changes with each number", 14, "start", weight="bold")
    backward = [
        ("d kernel", "3, 3, 1, 32", GREEN),
        ("d conv2d", "64, 26, 26, 32", GREY),
        ("d relu", "64, 26, 26, 32", GREY),
        ("d pooled", "64, 13, 13, 32", GREY),
        ("d dense", "64, 64", GREEN),
        ("d logits", "64, 10", GREEN),
    ]
    chain(f, 16, 194, backward, back=True)
    for k in (0, 4, 5):
        f.arrow(66 + k * 118, 242, 66 + k * 118, 270)
    f.cell(16, 272, 690, 34, "RMSprop: 347,146 weights, one dispatch", ORANGE, 13)
    f.text(16, 322, "blue: has weights; green: their gradients come from here; d relu: the gradient of the output of relu", 11.5, "start", PALE)


@figure(640, 230)
def gather(f):
    f.text(20, 28, "One invocation: word 0xff330080 of an image", 14, "start", weight="bold")
    for k, (bits, byte, value) in enumerate([("bits 24-31", "0xff", "1.000"), ("bits 16-23", "0x33", "0.200"), ("bits 8-15", "0x00", "0.000"), ("bits 0-7", "0x80", "0.502")]):
        x = 20 + k * 90
        f.text(x + 45, 58, bits, 11, fill=PALE)
        f.cell(x, 64, 90, 34, byte, BLUE, 14, mono=True)
        to = 20 + (3 - k) * 90
        f.arrow(x + 45, 100, to + 45, 150)
        f.cell(to, 154, 90, 34, value, ORANGE, 14)
        f.text(to + 45, 206, f"x[i, 4w + {3 - k}]", 11, fill=PALE)
    f.text(400, 76, "the lowest byte is", 12.5, "start")
    f.text(400, 93, "the first pixel", 12.5, "start")
    f.text(400, 166, "byte / 255, from a", 12.5, "start")
    f.text(400, 183, "table of 256 floats", 12.5, "start")


@figure(640, 190)
def one_hot(f):
    f.text(20, 28, "Ten invocations: the row of an image with label 3", 14, "start", weight="bold")
    f.cell(20, 66, 60, 34, "label 3", BLUE, 13)
    for c in range(10):
        x = 120 + c * 48
        f.text(x + 22, 62, f"{c} = 3 ?", 10.5, fill=PALE)
        f.arrow(x + 22, 70, x + 22, 96)
        f.cell(x, 98, 44, 34, 1 if c == 3 else 0, ORANGE if c == 3 else GREY, 13)
        f.text(x + 22, 148, f"[i, {c}]", 10.5, fill=PALE)
    f.text(20, 176, "Each compares the label with its own column, and writes 1 or 0.", 13, "start")


@figure(700, 260)
def convolution(f):
    inside = lambda r, c: BLUE if r >= 1 and c <= 1 else GREY
    f.text(20, 28, "The invocation of y[1, 0]", 14, "start", weight="bold")
    f.text(71, 62, "x", 13)
    f.grid(20, 70, [[1, 2, 0], [0, 1, 3], [4, 0, 1]], fill=inside)
    f.text(166, 122, "*", 20)
    f.text(234, 62, "kernel", 13)
    f.grid(200, 87, [[1, 0], [2, -1]], fill=lambda r, c: GREEN)
    f.text(304, 122, "+", 18)
    f.cell(324, 104, 34, 34, "1", GREEN)
    f.text(341, 94, "bias", 13)
    f.text(386, 127, "=", 18)
    f.text(440, 62, "y", 13)
    f.grid(410, 87, [[1, 2], [9, 1]], fill=lambda r, c: ORANGE if (r, c) == (1, 0) else GREY)
    f.text(506, 100, "0*1 + 1*0", 13, "start", mono=True)
    f.text(506, 120, "+ 4*2 + 0*-1", 13, "start", mono=True)
    f.text(506, 140, "+ bias 1 = 9", 13, "start", mono=True)
    f.text(20, 212, "It reads the four blue numbers and the green ones, and writes the orange one.", 13, "start")
    f.text(20, 236, "In the tutorial it has 9 taps and four filters at once: 346,112 invocations.", 13, "start")


@figure(760, 220)
def relu(f):
    for x, title in ((30, "y = max(x, 0)"), (310, "dy/dx")):
        f.text(x + 110, 28, title, 14, weight="bold")
        f.arrow(x, 160, x + 224, 160, LINE)
        f.arrow(x + 110, 200, x + 110, 40, LINE)
        f.text(x + 216, 178, "x", 13)
    f.line([(30, 160), (140, 160), (240, 60)], "#2563eb", 3)
    f.line([(310, 160), (420, 160)], "#2563eb", 3)
    f.line([(420, 100), (524, 100)], "#2563eb", 3)
    f.line([(420, 160), (420, 100)], LINE, 1.5, "4 4")
    f.text(408, 105, "1", 13)
    f.text(408, 178, "0", 13)
    f.cell(416, 156, 8, 8, "", "#2563eb", stroke="#2563eb")
    f.text(436, 196, "at 0: 0", 12, "start", PALE)
    f.text(655, 28, "one invocation", 14, weight="bold")
    for k, (name, values, fill) in enumerate([("x", [-1.5, 0, 2, 0.5], BLUE), ("y", [0, 0, 2, 0.5], ORANGE), ("dy", [0.3, 0.3, -0.1, 0.2], GREEN), ("dx", [0, 0, -0.1, 0.2], ORANGE)]):
        y = 42 + k * 42
        f.text(568, y + 19, name, 13)
        f.grid(586, y, [values], 34, lambda r, c: fill, 11)
        if k in (0, 2):
            f.arrow(655, y + 34, 655, y + 42)


@figure(640, 250)
def maxpool(f):
    best = {(0, 1), (0, 2), (3, 0), (2, 2)}
    f.text(88, 40, "x", 13)
    x = [[1, 5, 3, 0], [2, 4, 1, 2], [0, 6, 4, 4], [7, 2, 1, 4]]
    f.grid(20, 50, x, fill=lambda r, c: ORANGE if (r, c) in best else (BLUE if (r // 2 + c // 2) % 2 == 0 else GREY))
    f.line([(88, 50), (88, 186)], INK, 2.5)
    f.line([(20, 118), (156, 118)], INK, 2.5)
    f.arrow(176, 118, 226, 118)
    f.text(274, 74, "y", 13)
    f.grid(240, 84, [[5, 3], [7, 4]], fill=lambda r, c: ORANGE)
    f.text(394, 74, "winner", 13)
    f.grid(360, 84, [[1, 0], [2, 0]], fill=lambda r, c: GREEN)
    f.text(528, 74, "numbers in a window", 13)
    f.grid(494, 84, [[0, 1], [2, 3]], fill=lambda r, c: GREY)
    f.text(20, 216, "One invocation has one window. Of equal numbers the first wins.", 13, "start")
    f.text(20, 238, "What comes back goes to the orange places, and zero to all others.", 13, "start")


@figure(700, 310)
def matmul(f):
    f.text(20, 28, "One invocation: one part of c[i, j], for four columns", 14, "start", weight="bold")
    f.text(40, 112, "a", 14)
    f.text(170, 62, "t: K = 5,408 terms in 15 parts of 384", 12, fill=PALE)
    f.box(60, 72, 220, 76)
    f.box(60, 100, 220, 14, GREY)
    f.box(120, 100, 60, 14, BLUE, INK)
    f.text(170, 168, "row i of 64 images", 12, fill=PALE)
    f.text(316, 116, "x", 16)
    f.text(390, 272, "b: columns j of 64 units", 12, fill=PALE)
    f.box(350, 54, 80, 200)
    f.box(380, 54, 20, 200, GREY)
    f.box(380, 108, 20, 54, BLUE, INK)
    f.text(460, 116, "=", 16)
    for k in range(3):
        x, y = 496 + k * 22, 72 + k * 22
        f.box(x, y, 90, 76, GROUND, LINE)
        if k == 2:
            f.box(x + 30, y + 28, 20, 14, ORANGE, INK)
    f.text(560, 62, "partial [15, 64, 64]", 12, fill=PALE)
    f.text(486, 240, "sum_partials adds the 15", 12.5, "start")
    f.text(486, 257, "sheets, in order: c [64, 64]", 12.5, "start")
    f.text(20, 296, "It adds up 384 products of blue numbers. There are 15 x 64 x 16 = 15,360 such invocations.", 13, "start")


@figure(640, 300)
def loss(f):
    f.text(20, 28, "One invocation has one row. Here it has three classes, and class 1 is right", 14, "start", weight="bold")
    columns = [("logits z", [2, 1, 0], BLUE), ("exp(z - m)", [1, 0.3679, 0.1353], BLUE), ("p", [0.6652, 0.2447, 0.09], GREEN), ("p - t", [0.6652, -0.7553, 0.09], ORANGE)]
    for k, (title, values, fill) in enumerate(columns):
        x = 40 + k * 150
        f.text(x + 52, 62, title, 13)
        floor = 165 if k < 3 else 150
        scale = [35, 70, 85, 85][k]
        f.line([(x - 4, floor), (x + 108, floor)], LINE)
        for c, value in enumerate(values):
            tall = value * scale
            left = x + c * 38
            f.box(left, floor - max(tall, 0), 28, abs(tall), fill, INK)
            f.text(left + 14, 240, number(value) if k == 0 else f"{value:.2f}", 11)
        if k < 3:
            f.arrow(x + 116, 120, x + 140, 120)
    f.text(20, 274, "The gradient of a logit is its probability, less 1 where the label is.", 13, "start")
