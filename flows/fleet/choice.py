"""Which fleet the settings ask for."""

from __future__ import annotations

import importlib.util

from nightbench.errors import ConfigurationError
from nightbench.load.fleet import LOCAL, Fleet
from nightbench.run_settings import DASK_SETTING, ON_THIS_MACHINE
from nightbench.scrub import stored_address


def fleet_of(dask: str | None) -> Fleet:
    """The fleet that the setting `dask` names; see `nightbench.run_settings`.

    Raises:
        ConfigurationError: when Dask is not installed.
    """
    if dask is None:
        return LOCAL
    if importlib.util.find_spec("prefect_dask") is None:
        way_out = "pip install --editable '.[dask]' in the project's folder"
        raise ConfigurationError(DASK_SETTING, stored_address(dask), "Dask is not installed", way_out)
    from flows.fleet.dask import DaskFleet, LocalDaskFleet  # noqa: PLC0415  # takes a second, and may not be there

    return LocalDaskFleet() if dask == ON_THIS_MACHINE else DaskFleet(dask)
