"""The figures of the fast variants."""

from drawing import BLUE, GREEN, GREY, GROUND, INK, LINE, ORANGE, PALE, RED
from figures import figure


@figure(720, 300)
def sums(f):
    f.text(20, 28, "A sum of 43,264 terms in 43 parts", 14, "start", weight="bold")
    names = ["part 0: 1,008", "part 1: 1,008", "...", "part 42: 928"]
    for k, name in enumerate(names):
        x = 20 + k * 88
        f.cell(x, 50, 84, 34, name, [BLUE, BLUE, GROUND, BLUE][k], 10.5)
        if k != 2:
            f.arrow(x + 42, 86, x + 42, 118)
            f.cell(x + 22, 120, 40, 28, ["p0", "p1", "", "p42"][k], GREEN, 12)
            f.arrow(x + 42, 150, 184 + (k - 1.5) * 16, 196)
    f.cell(144, 198, 84, 30, "((p0+p1)+...)", ORANGE, 11)
    f.text(20, 262, "sum_partials adds the parts, in order.", 12.5, "start")
    f.text(400, 28, "A part shared by 8", 14, "start", weight="bold")
    for s in range(8):
        f.cell(400 + s * 37, 50, 33, 34, f"s{s}", BLUE, 11)
    y = 84
    for half, top in ((4, 112), (2, 158), (1, 204)):
        for s in range(half):
            f.arrow(416.5 + s * 37, y, 416.5 + s * 37, top)
            f.arrow(416.5 + (s + half) * 37, y, 424 + s * 37, top)
            f.cell(400 + s * 37, top + 1, 33, 22, "+", GREEN if half > 1 else ORANGE, 12)
        y = top + 24
    f.text(400, 262, "s0 has terms 0, 8, 16, ...; a barrier", 12.5, "start")
    f.text(400, 280, "stands before each row of additions.", 12.5, "start")


@figure(700, 310)
def tile(f):
    f.text(20, 28, "One invocation, one term t: 16 numbers feed 64 multiply-adds", 14, "start", weight="bold")
    f.text(292, 60, "8 numbers of b: row t, two Reals of columns", 12.5, "start", PALE)
    for c in range(8):
        f.box(250 + c * 24, 70, 24, 24, BLUE, INK)
    f.line([(346, 66), (346, 98)], INK, 2.5)
    for r in range(8):
        f.box(210, 108 + r * 24, 24, 24, GREEN, INK)
        for c in range(8):
            f.box(250 + c * 24, 108 + r * 24, 24, 24, ORANGE)
    f.text(196, 200, "8 numbers of a:", 12.5, "end", PALE)
    f.text(196, 218, "term t of 8 rows", 12.5, "end", PALE)
    f.text(460, 180, "64 sums in registers:", 12.5, "start")
    f.text(460, 198, "each adds its a times", 12.5, "start")
    f.text(460, 216, "its b, for every t", 12.5, "start")


@figure(720, 340)
def team(f):
    f.text(20, 28, "A round of a team: 16 terms of 32 rows and of 32 columns", 14, "start", weight="bold")
    f.text(120, 62, "a, in memory", 12.5)
    f.box(20, 72, 200, 110)
    f.box(86, 96, 48, 70, BLUE, INK)
    f.text(110, 134, "32 x 16", 10)
    f.text(120, 206, "b, in memory", 12.5)
    f.box(40, 216, 160, 100)
    f.box(90, 240, 60, 40, GREEN, INK)
    f.text(120, 264, "16 x 32", 10)
    f.arrow(134, 130, 290, 130)
    f.arrow(154, 260, 290, 190)
    f.text(366, 92, "workgroup memory", 12.5)
    f.box(296, 100, 140, 130, GROUND, INK, 1.5)
    f.cell(316, 112, 100, 46, "squares of a", BLUE, 12)
    f.cell(316, 172, 100, 46, "squares of b", GREEN, 12)
    f.text(366, 250, "2 x 128 Reals = 4 KB", 11.5, fill=PALE)
    f.arrow(440, 165, 490, 165)
    f.text(590, 62, "32 x 32 results, in registers", 12.5)
    for r in range(8):
        for c in range(8):
            f.box(500 + c * 22, 76 + r * 22, 22, 22, ORANGE if (r, c) != (2, 3) else RED, LINE)
    f.text(500, 274, "8 x 8 invocations, 4 x 4 results", 12, "start")
    f.text(500, 291, "each; red: one invocation's", 12, "start")


@figure(720, 300)
def banks(f):
    f.text(20, 28, "Eight neighbouring invocations store a Real: rows 0 or 1 of squares 0 to 3", 14, "start", weight="bold")
    for k, (title, exchanged) in enumerate([("place = rows", False), ("place = rows ^ (2 * terms)", True)]):
        left = 20 + k * 356
        f.text(left + 160, 62, title, 13, mono=True)
        waiting = [0] * 8
        for invocation in range(8):
            rows, terms = invocation // 4, invocation % 4
            place = rows ^ (2 * terms) if exchanged else rows
            waiting[place] += 1
            f.cell(left + place * 40, 196 - waiting[place] * 28, 36, 24, f"{rows},{terms}", BLUE if rows == 0 else GREEN, 12)
        for b in range(8):
            f.cell(left + b * 40, 200, 36, 26, f"{4 * b}-{4 * b + 3}", GREY, 11, INK)
        f.text(left + 160, 244, "banks", 12, fill=PALE)
        f.text(left, 276, ["Four wait for the same banks: four turns.", "All banks are busy: one turn."][k], 12.5, "start")


@figure(700, 250)
def lanes(f):
    f.text(20, 28, "Eight lanes, a block of 64 terms", 14, "start", weight="bold")
    f.text(20, 66, "a row of a:", 12.5, "start")
    for lane in range(8):
        f.cell(120 + lane * 66, 48, 62, 26, "8 terms", BLUE, 11)
        f.arrow(151 + lane * 66, 76, 151 + lane * 66, 98, LINE)
        f.cell(120 + lane * 66, 100, 62, 56, "64 x 8", GREEN, 12, INK)
        f.text(151 + lane * 66, 172, f"lane {lane}", 11, fill=PALE)
        f.arrow(151 + lane * 66, 178, 151 + lane * 66, 194)
        f.cell(120 + lane * 66, 196, 62, 24, "8 sums", ORANGE, 11)
    f.text(20, 122, "a block of b,", 12.5, "start")
    f.text(20, 139, "it stays:", 12.5, "start")
    f.text(20, 213, "a row of c:", 12.5, "start")
    f.text(120, 240, "Each lane loads 8 terms of the row and gets the other 56 from its neighbours.", 11.5, "start", PALE)


@figure(740, 330)
def fusion(f):
    f.text(16, 28, "28 steps one by one", 14, "start", weight="bold")
    f.text(458, 28, "13 steps, of which 10 train", 14, "start", weight="bold")
    rows = [
        ("gather_images, one_hot", "gather_batch", GREY),
        ("conv2d, relu, maxpool, relu_backward", "conv2d_maxpool_forward", BLUE),
        ("matmul", "matmul", GREY),
        ("sum_partials, bias_add, relu", "sum_partials_bias", BLUE),
        ("matmul, bias_add, loss, metrics, 3 gradients, relu_backward", "dense_softmax_cross_entropy", ORANGE),
        ("matmul_a_bt", "matmul_a_bt", GREY),
        ("maxpool_backward, column_sum, conv2d_backward_kernel, 2 sums", "conv2d_maxpool_backward_kernel, sum", GREEN),
        ("column_sum, matmul_at_b, rmsprop_update", "dense_rmsprop_update, rmsprop_update", ORANGE),
    ]
    for k, (before, after, fill) in enumerate(rows):
        y = 42 + k * 32
        f.cell(16, y, 410, 26, before, fill, 11)
        f.arrow(428, y + 13, 454, y + 13)
        f.cell(458, y, 266, 26, after, fill, 11)
    f.text(16, 320, "dense_1/forward, loss and softmax stay as steps of their own for evaluation and prediction.", 11.5, "start", PALE)


@figure(720, 270)
def window(f):
    f.text(20, 28, "One invocation of conv2d_maxpool_forward, here with one filter", 14, "start", weight="bold")
    f.text(88, 62, "4 x 4 pixels of x", 12.5)
    f.grid(20, 70, [[""] * 4] * 4, fill=lambda r, c: BLUE)
    f.line([(20, 70), (122, 70), (122, 172), (20, 172), (20, 70)], INK, 2.5)
    f.arrow(166, 138, 226, 138)
    f.text(196, 128, "4 times", 11.5, fill=PALE)
    f.text(196, 156, "3 x 3 taps", 11.5, fill=PALE)
    f.box(236, 92, 120, 92, GROUND, LINE)
    f.text(296, 84, "registers", 12.5)
    f.grid(262, 104, [[-0.2, 0.7], [0.1, -1]], fill=lambda r, c: ORANGE if (r, c) == (0, 1) else GREY)
    f.arrow(366, 138, 426, 138)
    f.text(396, 128, "best", 11.5, fill=PALE)
    f.text(396, 156, "above 0", 11.5, fill=PALE)
    f.text(462, 96, "y", 13)
    f.cell(440, 104, 44, 34, 0.7, ORANGE)
    f.text(462, 186, "winner", 13)
    f.cell(440, 144, 44, 28, 1, GREEN)
    f.text(510, 116, "The four outputs of the", 12, "start")
    f.text(510, 133, "convolution are never", 12, "start")
    f.text(510, 150, "written. If none is above", 12, "start")
    f.text(510, 167, "0: y = 0 and winner = 4.", 12, "start")
    f.text(20, 236, "The thick line is the first of the four windows. Without fusion 5.28 MB are written and read", 12.5, "start")
    f.text(20, 254, "between these steps; here nothing is.", 12.5, "start")
