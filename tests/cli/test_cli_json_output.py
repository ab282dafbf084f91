"""Where the document goes."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from nightbench.cli.json_output import JsonOutput
from nightbench.errors import ConfigurationError, ExitCode


def test_a_folder_that_takes_no_file_is_told_before_anything_is_measured():
    # /proc refuses new entries to everybody, root too, as a read-only mount does
    with pytest.raises(ConfigurationError, match=r"--json = '/proc': cannot be written to"):
        JsonOutput("/proc/it.json")


def test_nothing_is_left_of_the_attempt(tmp_path):
    JsonOutput(str(tmp_path / "it.json"))
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(json.loads(pipe.read_text())))
    reader.start()
    assert JsonOutput(str(pipe)).write({"a": 1}, ExitCode.MET) is ExitCode.MET
    reader.join()
    assert read == [{"a": 1}]
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    ("code", "then"),
    [
        (ExitCode.MET, ExitCode.INVALID),
        (ExitCode.MISSED, ExitCode.MISSED),  # that is certain, with or without a document
        (ExitCode.WRONG_USE, ExitCode.WRONG_USE),
        (ExitCode.INVALID, ExitCode.INVALID),
    ],
)
def test_a_folder_that_is_gone_in_the_end_is_told_and_is_no_pass(tmp_path, capsys, code, then):
    (tmp_path / "folder").mkdir()
    output = JsonOutput(str(tmp_path / "folder" / "it.json"))
    (tmp_path / "folder").rmdir()
    (tmp_path / "folder").write_text("in the way")
    assert output.write({}, code) is then
    assert "cannot be written" in capsys.readouterr().err
    assert Path(tmp_path / "folder").read_text() == "in the way"
