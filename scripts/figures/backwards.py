"""The figures of the way back and of the update."""

from drawing import BLUE, GREEN, GREY, GROUND, INK, LINE, ORANGE, PALE, RED, RED_INK
from figures import figure


@figure(700, 320)
def dense_backward(f):
    rows = [
        ("matmul", [("a", 64, 90, BLUE), ("b", 90, 40, BLUE), ("c", 64, 40, ORANGE)], "sums over 5,408 inputs"),
        ("matmul_at_b", [("a\u1d40", 90, 64, BLUE), ("dc", 64, 40, GREEN), ("db", 90, 40, ORANGE)], "sums over 64 images"),
        ("matmul_a_bt", [("dc", 64, 40, GREEN), ("b\u1d40", 40, 90, BLUE), ("da", 64, 90, ORANGE)], "sums over 64 units"),
    ]
    for k, (name, matrices, words) in enumerate(rows):
        y = 20 + k * 98
        f.text(20, y + 46, name, 13, "start")
        x = 160
        for m, (label, h, w, fill) in enumerate(matrices):
            top = y + 45 - h / 2
            f.box(x, top, w, h, fill, INK)
            # A row of the left factor, a column of the right one, and the place where they meet in the product.
            places = [(x, top + 10, w, 8), (x + 6, top, 8, h), (x + 6, top + 10, 8, 8)]
            f.box(*places[m], RED, RED_INK)
            f.text(x + w / 2 + 6, y + 54, label, 14)
            x += w
            if m < 2:
                f.text(x + 22, y + 50, "x=" [m], 15)
                x += 44
        f.text(520, y + 50, words, 13, "start", PALE)


@figure(700, 280)
def gather_not_scatter(f):
    f.text(20, 28, "Windows of 3, one step apart, all won by x[2]", 14, "start", weight="bold")
    for k, (title, shown) in enumerate([("scatter: by windows", True), ("gather: by places", False)]):
        x = 20 + k * 350
        f.text(x + 150, 62, title, 13)
        f.text(x, 98, "dy", 13, "start")
        f.text(x, 188, "dx", 13, "start")
        for w in range(3):
            f.cell(x + 80 + w * 56, 76, 44, 34, f"dy{w}", BLUE if shown else GREY, 13, INK if shown else LINE)
        for e in range(5):
            f.cell(x + 30 + e * 56, 166, 44, 34, f"dx{e}", ORANGE if e == 2 else GREY, 13, INK if not shown else LINE)
        for w in range(3):
            ends = (x + 102 + w * 56, 112, x + 152 + w * 12, 164)
            f.arrow(*ends, RED_INK if shown else INK)
    f.text(20, 236, "Three invocations add to one", 12.5, "start")
    f.text(20, 253, "number: additions get lost.", 12.5, "start")
    f.text(370, 236, "One invocation per place reads the", 12.5, "start")
    f.text(370, 253, "windows that cover it: no one collides.", 12.5, "start")


@figure(700, 240)
def kernel_gradient(f):
    f.text(20, 28, "The invocation of dkernel[0, 1]", 14, "start", weight="bold")
    f.text(71, 62, "x, under dy", 13)
    f.grid(20, 70, [[1, 2, 0], [0, 1, 3], [4, 0, 1]], fill=lambda r, c: BLUE if r <= 1 and c >= 1 else GREY)
    f.text(152, 127, "*", 20)
    f.text(214, 78, "dy", 13)
    f.grid(180, 87, [[1, 0], [0, 2]], fill=lambda r, c: GREEN)
    f.text(274, 127, "=", 18)
    f.text(338, 78, "dkernel", 13)
    f.grid(304, 87, [[3, 8], [0, 3]], fill=lambda r, c: ORANGE if (r, c) == (0, 1) else GREY)
    f.text(410, 112, "2*1 + 0*0 + 1*0 + 3*2", 13, "start", mono=True)
    f.text(410, 132, "= 8", 13, "start", mono=True)
    f.text(20, 204, "dy lies on x, moved by the weight's place (0, 1). In the tutorial dy is 26 x 26,", 13, "start")
    f.text(20, 224, "in 64 images: 43,264 products, cut into 43 parts between rows.", 13, "start")


@figure(700, 270)
def input_gradient(f):
    tint = [[BLUE, GREEN], [ORANGE, RED]]
    f.text(20, 28, "The invocation of dx[1, 1], the pixel in the middle", 14, "start", weight="bold")
    f.text(54, 78, "dy", 13)
    f.grid(20, 87, [[1, 0], [0, 2]], fill=lambda r, c: tint[r][c])
    f.text(126, 127, "*", 20)
    f.text(190, 78, "kernel", 13)
    f.grid(156, 87, [[1, 0], [2, -1]], fill=lambda r, c: tint[1 - r][1 - c])
    f.text(252, 127, "=", 18)
    f.text(335, 62, "dx", 13)
    f.grid(284, 70, [[1, 0, 0], [2, 1, 0], [0, 4, -2]], fill=lambda r, c: GROUND if (r, c) == (1, 1) else GREY)
    f.box(318, 104, 34, 34, "none", INK, 2)
    f.text(410, 96, "2*1 + 0*0 + 0*2 + 1*-1", 13, "start", mono=True)
    f.text(410, 116, "= 1", 13, "start", mono=True)
    for k, line in enumerate(
        (
            "Numbers of one colour are multiplied: output (0, 0) saw this pixel through the",
            "lower right weight, output (1, 1) through the upper left one. The corner dx[0, 0]",
            "was seen by one output only, so it is dy[0, 0] * kernel[0, 0] = 1.",
        )
    ):
        f.text(20, 204 + k * 19, line, 12.5, "start")


@figure(720, 290)
def arenas(f):
    f.text(20, 28, "347,146 weights, one after the other; four to an invocation", 14, "start", weight="bold")
    parts = [("kernel", 60, 0), ("bias", 44, 288), ("dense.kernel", 330, 320), ("bias", 50, 346432), ("kernel", 60, 346496), ("bias", 40, 347136)]
    for row, (name, fill) in enumerate([("g", GREEN), ("v", GREY), ("w", BLUE)]):
        x, y = 60, 76 + row * 56
        f.text(24, y + 22, name, 14)
        for label, wide, first in parts:
            f.cell(x, y, wide, 34, label if row == 2 else "", fill, 11)
            if row == 2:
                f.text(x + 2, y + 50, f"{first:,}", 9.5, "start", PALE)
            x += wide
    for k in range(3):
        x = 210 + k * 14
        for row in range(3):
            f.box(x, 76 + row * 56, 14, 34, ORANGE if k == 1 else GROUND, INK)
    f.line([(231, 110), (231, 132)], INK, 2)
    f.arrow(231, 166, 231, 188, INK, 2)
    f.text(250, 68, "one invocation: g, v, w of four weights in, v and w out", 12, "start", PALE)
    f.text(60, 272, "Below: where each tensor begins, in floats. Biases of conv2d, dense and dense_1 follow their kernels.", 11.5, "start", PALE)
