"""Commands without a flow have no cluster: they say so, and what names none is refused."""

import pytest
from pydantic import ValidationError

from nightbench.run_settings import RunSettings, without_a_flow


def test_a_cluster_that_is_not_used_is_told():
    assert without_a_flow(RunSettings()) == ()
    (said,) = without_a_flow(RunSettings(dask="tcp://scheduler:8786"))
    assert said.startswith(
        "this command loads from this machine, not from the Dask cluster of NIGHTBENCH_RUN__DASK"
    )


@pytest.mark.parametrize("address", ["local", "tcp://scheduler:8786", "tls://10.0.0.1:8786"])
def test_a_cluster_is_local_or_an_address(address):
    assert RunSettings(dask=address).dask == address


def test_nothing_is_no_cluster():
    assert RunSettings(dask="").dask is None


@pytest.mark.parametrize(
    "address", ["yes", "scheduler:8786", "http://scheduler:8786", "tcp://scheduler", "tcp://u:p@s:1"]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValidationError, match="no address of a Dask scheduler"):
        RunSettings(dask=address)
