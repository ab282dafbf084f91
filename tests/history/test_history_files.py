"""Files that are whole or not there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import pytest

from nightbench.errors import ConfigurationError
from nightbench.files import check_writable, write_whole


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def write(file: IO[bytes]) -> None:
        file.write(b"half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_whole(tmp_path / "x", write)
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    def write(file: IO[bytes]) -> None:
        raise KeyboardInterrupt

    (tmp_path / "x").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "x", write)
    assert (tmp_path / "x").read_bytes() == b"old"


def test_readers_never_see_a_name_that_they_would_read_before_it_is_whole(tmp_path: Path) -> None:
    seen = []
    write_whole(tmp_path / "x.parquet", lambda _: seen.extend(path.name for path in tmp_path.iterdir()))
    assert [name[0] for name in seen] == ["."]


def test_a_probe_leaves_nothing(tmp_path: Path) -> None:
    check_writable("results", tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere that can be written")
def test_a_read_only_folder_names_the_setting(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(ConfigurationError, match=r"outbox = .*permission denied"):
            check_writable("outbox", tmp_path)
    finally:
        tmp_path.chmod(0o755)
