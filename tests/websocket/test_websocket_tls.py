"""TLS options that cannot be used are refused before any load, by the name of their field."""

import os
import ssl

import pytest
from certificates import Authority
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from nightbench.errors import ConfigurationError
from nightbench.plan.conversation import TlsOptions
from nightbench.websocket.client import Endpoint


@pytest.fixture(name="files")
def _files(tmp_path):
    authority = Authority(tmp_path)
    certificate, key = authority.certificate("a-client")
    _, other_key = authority.certificate("another-client")
    _, encrypted_key = authority.certificate("a-third", passphrase=b"s3cret")
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no PEM at all\n")
    names = {
        "ca": authority.file, "certificate": certificate, "key": key, "other_key": other_key,
        "encrypted_key": encrypted_key, "nonsense": nonsense, "missing": tmp_path / "missing.pem",
        "folder": tmp_path, "pipe": tmp_path / "pipe", "large": tmp_path / "large",
    }  # fmt: skip
    os.mkfifo(names["pipe"])
    with names["large"].open("wb") as file:
        file.truncate(16 * 2**20 + 1)
    return {name: str(path) for name, path in names.items()}


@pytest.mark.parametrize(
    ("options", "setting", "problem"),
    [
        ({"ca_file": "missing"}, "tls.ca_file", "cannot be read: no such file or directory"),
        ({"ca_file": "folder"}, "tls.ca_file", "cannot be read: it is a folder and not a file"),
        ({"ca_file": "pipe"}, "tls.ca_file", "cannot be read: it is a pipe and not a file"),
        ({"ca_file": "large"}, "tls.ca_file", "is larger than 16 MiB"),
        ({"ca_file": "nonsense"}, "tls.ca_file", "holds no certificate"),
        (
            {"certificate_file": "missing"},
            "tls.certificate_file",
            "cannot be read: no such file or directory",
        ),
        ({"certificate_file": "nonsense"}, "tls.certificate_file", "holds no certificate and key"),
        ({"certificate_file": "certificate"}, "tls.certificate_file", "holds no certificate and key"),
        (
            {"certificate_file": "certificate", "key_file": "missing"},
            "tls.key_file",
            "cannot be read: no such file or directory",
        ),
        (
            {"certificate_file": "certificate", "key_file": "other_key"},
            "tls.certificate_file",
            "the key is of another certificate",
        ),
        (
            {"certificate_file": "certificate", "key_file": "encrypted_key"},
            "tls.key_file",
            "its key is encrypted",
        ),
    ],
)
def test_a_file_that_will_not_do_is_named_with_its_field(files, options, setting, problem):
    options = {field: files[name] for field, name in options.items()}
    with pytest.raises(ConfigurationError) as caught:
        Endpoint.of("wss://127.0.0.1/", tls=TlsOptions(**options))
    assert (caught.value.setting, caught.value.problem) == (setting, problem)
    assert caught.value.value in options.values()
    assert caught.value.way_out


def test_files_that_will_do_make_an_endpoint(files):
    options = TlsOptions(ca_file=files["ca"], certificate_file=files["certificate"], key_file=files["key"])
    endpoint = Endpoint.of("wss://127.0.0.1/", tls=options)
    assert endpoint.tls is not None
    assert endpoint.tls.check_hostname


@given(
    st.text(max_size=70)
    | st.from_regex(r"[a-zü.\x00 -]{1,12}", fullmatch=True)
    | st.builds(lambda part, times: ".".join([part] * times), st.text("aü", max_size=64), st.integers(1, 130))
)
@example("ü." * 100 + "de")  # of which each letter is eight on the wire
def test_a_server_name_that_the_plan_takes_is_one_that_tls_takes(name):
    try:
        options = TlsOptions(server_name=name)
    except ValidationError:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=options.server_name)


@pytest.mark.parametrize("name", ["example.org", "example.org.", "müller.example", "127.0.0.1", "::1", "a_b"])
def test_a_server_name_that_is_one_is_taken(name):
    assert TlsOptions(server_name=name).server_name == name


def test_without_tls_nothing_is_made_of_the_options(files):
    assert Endpoint.of("ws://127.0.0.1/", tls=TlsOptions(ca_file=files["missing"])).tls is None
