"""moto's S3 server with one bucket, and an environment that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import fsspec
import pytest

BUCKET = "nightbench"
SECRET = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"


def credentials(patch: pytest.MonkeyPatch, address: str) -> None:
    """Let whoever asks for S3 ask `address`."""
    for name, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        patch.setenv(name, value)
    fsspec.filesystem("s3").clear_instance_cache()  # one keeps the address that it was made with


@contextmanager
def s3_server() -> Iterator[str]:
    """The address of a server, which the environment names meanwhile."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    try:
        with pytest.MonkeyPatch.context() as patch:
            credentials(patch, address)
            fsspec.filesystem("s3").makedirs(
                BUCKET, exist_ok=True
            )  # the servers of a process share what they have
            yield address
    finally:
        server.stop()
