"""The tags of rows that runs write: how they are made, known again, and what they tell."""

from __future__ import annotations

import re

ANY_RUN = "nightbench:%"
"""What every tag is LIKE, so that an index finds it; `SHAPE` decides."""
SHAPE = "^nightbench:[0-9A-Za-z._-]+:([0-9]{1,7}) *$"
"""Of every tag, also in a column that pads with blanks, for Python and PostgreSQL; its group is how many tenants.

What somebody else wrote of nightbench does not have it.
"""


def tag_of(run_id: str, *, tenants: int) -> str:
    """The tag of the rows of a run in which so many tenants take part."""
    return f"nightbench:{run_id}:{tenants}"


def tenants_of(tag: str) -> int:
    """How many tenants took part in the run of a tag; 0 of what is none."""
    found = re.search(SHAPE, tag)
    return int(found[1]) if found else 0
