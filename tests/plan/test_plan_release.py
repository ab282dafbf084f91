"""The release of a subject: what is one, where it is set, and which subject it goes along with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from nightbench import settings as settings_module
from nightbench.errors import ConfigurationError
from nightbench.release import checked_release, first_line
from nightbench.settings import Settings
from nightbench.subject_asked import RegisteredSubject, with_release, with_subject, with_url


@pytest.fixture
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(
        results=tmp_path,
        websocket_url="wss://pam.example/chat",
        release="v2.4.1",
        release_command=["version"],
    )


@pytest.mark.parametrize(
    "text", ["v2.4.1", "1.2.3.4", "deploy 4711", "9f2c4e7", "größer", "a" * 64, " v1 \n"]
)
def test_a_name_of_printable_characters_is_a_release(text):
    assert checked_release(text) == text.strip()


@pytest.mark.parametrize("text", ["", "  ", "a" * 65, "a\tb", "a\nb", "v1\x1b[31m", "v\u202e1", "a\x00"])
def test_what_is_empty_long_or_cannot_be_printed_is_none(text):
    with pytest.raises(ValueError, match="1 to 64 printable characters"):
        checked_release(text)


@given(st.text())
def test_what_is_taken_is_short_and_printable_and_taken_again(text):
    try:
        taken = checked_release(text)
    except ValueError:
        return
    assert 1 <= len(taken) <= 64
    assert taken.isprintable()
    assert checked_release(taken) == taken


@pytest.mark.parametrize(
    ("printed", "release"),
    [
        (b"v2.4.1", "v2.4.1"),
        (b"v2.4.1\r\nbuilt today\n", "v2.4.1"),
        (b"\n \n v2.4.1 \n", "v2.4.1"),
        ("\N{BYTE ORDER MARK}v2.4.1\n".encode(), "v2.4.1"),
    ],
)
def test_the_first_line_that_is_printed_is_the_release(printed, release):
    assert first_line(printed) == release


@pytest.mark.parametrize(
    ("printed", "problem"),
    [
        (b"", "nothing"),
        (b"\n\n", "nothing"),
        (b"\xff\xfe", "UTF-8"),
        (b"x" * 65 + b"\nv1", "1 to 64"),
        (b"a\x1b", "1 to 64"),
    ],
)
def test_a_program_that_prints_none_is_told_why(printed, problem):
    with pytest.raises(ValueError, match=problem):
        first_line(printed)


def test_a_variable_wins_over_the_file(in_a_folder, monkeypatch):
    (in_a_folder / "nightbench.toml").write_text('release = "v1"\nrelease_command = ["a", "b c"]\n')
    assert settings_module.load().release == "v1"
    assert settings_module.load().release_command == ("a", "b c")
    monkeypatch.setenv("NIGHTBENCH_RELEASE", "v2")
    monkeypatch.setenv("NIGHTBENCH_RELEASE_COMMAND", '["c"]')
    assert (settings_module.load().release, settings_module.load().release_command) == ("v2", ("c",))
    assert settings_module.load({"release": "v3"}).release == "v3"


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("RELEASE", "", "= '': a release is 1 to 64"),
        ("RELEASE", "a" * 65, "a release is 1 to 64"),
        ("RELEASE_COMMAND", "curl -H hunter2", r"= '\*\*\*': is no list of words, such as \["),
        ("RELEASE_COMMAND", '{"curl": "hunter2"}', r"= '\*\*\*': is no list of words"),
        ("RELEASE_COMMAND", '["curl", 2]', r"= '\*\*\*'"),
    ],
)
def test_what_cannot_be_used_is_told_without_what_may_be_secret(
    in_a_folder, monkeypatch, variable, value, says
):
    monkeypatch.setenv(f"NIGHTBENCH_{variable}", value)
    with pytest.raises(ConfigurationError, match=says) as caught:
        settings_module.load()
    assert variable.lower() in str(caught.value).lower()
    assert "hunter2" not in str(caught.value)


def test_the_words_of_a_command_are_not_shown(settings):
    assert "release_command" not in repr(settings)


def test_a_form_says_the_release_of_what_it_loads(settings):
    assert with_release(settings, " v2.5.0 ").release == "v2.5.0"
    with pytest.raises(ConfigurationError, match=r"parameter release = 'a b': a release is"):
        with_release(settings, "a\tb")


def test_another_subject_has_no_release_of_this_one(settings):
    other = RegisteredSubject("staging", "wss://other.example/chat", SecretStr("hunter2"))
    chosen = with_subject(settings, other)
    assert (chosen.release, chosen.release_command) == (None, ())


@pytest.mark.parametrize(
    ("url", "release"), [("wss://pam.example/other", "v2.4.1"), ("wss://other.example/chat", None)]
)
def test_another_address_has_the_release_of_the_same_host_alone(settings, url, release):
    chosen = with_url(settings, url)
    assert (chosen.release, bool(chosen.release_command)) == (release, release is not None)
