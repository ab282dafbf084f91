"""Why a stress test saw what it saw: rules over plans, catalog, observation and the load's own figures."""

from nightbench.database.diagnosis.examination import diagnose as diagnose
from nightbench.database.diagnosis.figures import LoadFigures as LoadFigures
from nightbench.database.diagnosis.limits import other_writers as other_writers
