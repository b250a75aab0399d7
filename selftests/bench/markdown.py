# SPDX-License-Identifier: GPL-2.0
"""Tables that are read on a terminal and pasted into a document."""


def table(head, body):
    """Lines of a Markdown table of words: the first column to the left, the others to the right."""
    rows = [head, *body]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    rule = ["-" * (width - 1) + ":" if i else "-" * width for i, width in enumerate(widths)]
    return ["| " + " | ".join(cell.rjust(width) if i else cell.ljust(width)
                              for i, (cell, width) in enumerate(zip(row, widths))) + " |"
            for row in (head, rule, *body)]
