"""What the numbers mean: promises kept, and the change against earlier nights.

Usable in a notebook, on tidy data frames: `judge` and `change_points`.
"""

from nightbench.verdict.judgement import Change, LeftOut, Line, Verdict
from nightbench.verdict.judging import judge
from nightbench.verdict.policy import Policy
from nightbench.verdict.series.changepoints import ChangePoint, change_points

__all__ = ["Change", "ChangePoint", "LeftOut", "Line", "Policy", "Verdict", "change_points", "judge"]
