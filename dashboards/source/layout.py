"""Places panels on Grafana's grid of 24 columns: line by line, no holes, nothing beside the grid."""

from .grafana import COLUMNS, Row


class LayoutError(ValueError):
    pass


def place(items):
    """[(item, x, y)]. Panels fill lines from the left; those of a line are of one height and fill it wholly."""
    placed = []
    x = y = height = 0
    for item in items:
        if isinstance(item, Row):
            if x:
                raise LayoutError(f"before the row {item.title!r} {COLUMNS - x} columns are left")
            placed.append((item, 0, y))
            y += 1
            continue
        if x == 0:
            height = item.height
        if item.height != height:
            raise LayoutError(f"panel {item.title!r} is {item.height} high in a line of {height}")
        if x + item.width > COLUMNS:
            raise LayoutError(f"panel {item.title!r} of width {item.width} does not fit behind column {x}")
        placed.append((item, x, y))
        x += item.width
        if x == COLUMNS:
            x, y = 0, y + height
    if x:
        raise LayoutError(f"the last line leaves {COLUMNS - x} columns")
    return placed
