"""Tables in Markdown."""

import statistics
import subprocess
from pathlib import Path


def cell(values, digits, baseline=()):
    """The median of some values, their range, and its ratio to the median of others."""
    if not values:
        return "-"
    median = statistics.median(values)
    text = f"{median:,.{digits}f}"
    if len(values) > 1:
        text += f" ({min(values):,.{digits}f}-{max(values):,.{digits}f})"
    # A table's own baseline needs no ratio.
    if baseline and baseline != values:
        text += f" x{median / statistics.median(baseline):.2f}"
    return text


def table(headings, rows):
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def machine():
    """The processor, in words."""
    script = Path(__file__).resolve().parents[2] / "scripts" / "processor"
    return subprocess.run([script], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
