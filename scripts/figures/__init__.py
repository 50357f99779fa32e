"""The figures of the book, a module for each part of it. Each function that draws one is named after its file."""

from drawing import Canvas

FIGURES = {}


def figure(width, height):
    """Makes a figure of a function that draws on a canvas of this size."""

    def register(draw):
        canvas = Canvas(width, height)
        draw(canvas)
        FIGURES[draw.__name__ + ".svg"] = canvas.svg()
        return draw

    return register
