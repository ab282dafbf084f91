"""A chart as a page by itself: one file of HTML that needs no network, with its words and its table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape

from nightbench.report.charts.figure import Figure, Table

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:"
)
"""What a browser lets the page do: nothing is fetched, whatever the chart says."""
_STYLE = """
body { font: 15px/1.5 "Liberation Sans", Arial, Helvetica, sans-serif; color: #333333; background: #ffffff;
  max-width: 60em; margin: 2em auto; padding: 0 1em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2em 0.8em; border-bottom: 1px solid #dddddd; text-align: right; }
th:last-child, td:last-child { text-align: left; }
"""


def page_of(figure: Figure, bundle: str) -> str:
    """The page; its text is the figure's, and none of it is markup.

    Args:
        figure: The chart.
        bundle: The script that draws it in a browser, which has ``nightbench.embed(element, spec, options)``.
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">
<link rel="icon" href="data:,">
<title>{escape(figure.title)}</title>
<style>{_STYLE}</style>
<script>{bundle}</script>
</head>
<body>
<main>
<h1>{escape(figure.title)}</h1>
<p>{escape(figure.alt)}</p>
<div class="scroll" tabindex="0" role="group" aria-label="the chart"><div id="chart"></div></div>
<h2>The values</h2>
<div class="scroll" tabindex="0" role="group" aria-label="the values">{_table(figure.table)}</div>
</main>
<script>
nightbench.embed("#chart", {_literal(figure)}, {{renderer: "svg", actions: false}}).catch(console.error);
</script>
</body>
</html>
"""


def _table(table: Table) -> str:
    head = _row(f'<th scope="col">{escape(cell)}</th>' for cell in table.head)
    rows = (
        _row((f'<th scope="row">{escape(first)}</th>', *(f"<td>{escape(cell)}</td>" for cell in rest)))
        for first, *rest in table.rows
    )
    return f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _row(cells: Iterable[str]) -> str:
    return f"<tr>{''.join(cells)}</tr>"


def _literal(figure: Figure) -> str:
    """The spec as JavaScript has it within a page: no text in it can end the script."""
    spec = {**figure.spec, "description": figure.alt}
    return json.dumps(spec, allow_nan=False).replace("<", "\\u003c")
