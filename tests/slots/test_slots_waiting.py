"""Waiting for a slot: whom for is said, it ends in time, and an interruption ends it at once."""

import asyncio

import pytest

from nightbench.cli import run_command
from nightbench.errors import ExitCode, NotBegunError
from nightbench.running import open_night, running_night
from nightbench.settings import Settings
from nightbench.slots.holder import Busy, Holder
from nightbench.slots.keys import keys_of
from nightbench.slots.line import PlaceInLine
from nightbench.slots.slot import held, known_here_only, slots
from nightbench.slots.waiting import SlotTakenError, wait_for

NIGHTLY = Busy("the database h:5432/app", Holder("nightly", "process 7", "2026-11-24T03:15:00Z"))
OTHER = Busy("the database h:5432/app", Holder("full", "process 8", "2026-11-24T05:15:00Z"))


class Clock:
    """Seconds that pass with each try."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def waited(answers, *, seconds=14_400.0, step=1.0, stop=None):
    """What `wait_for` gives for these answers of a slot, the last for ever, and what it says meanwhile."""
    notes, left = [], list(answers)

    async def take():
        return left.pop(0) if len(left) > 1 else left[0]

    async def wait():
        return await wait_for(
            take,
            seconds=seconds,
            stop=stop or asyncio.Event(),
            on_note=notes.append,
            poll=0,
            clock=Clock(step),
        )

    return asyncio.run(wait()), notes


def test_a_free_slot_is_had_without_a_word():
    assert waited(["slot"]) == ("slot", [])


def test_it_is_said_at_once_who_has_it_and_for_how_long_we_wait():
    _, (note,) = waited([NIGHTLY, "slot"])
    assert note == (
        "the database h:5432/app is being loaded by nightly (process 7, since 2026-11-24 03:15:00 UTC); "
        "waiting for up to 4.0 h more"
    )


def test_another_holder_is_said_at_once():
    _, notes = waited([NIGHTLY, OTHER, "slot"])
    assert ["nightly" in notes[0], "full" in notes[1]] == [True, True]


def test_it_is_said_again_after_a_minute_and_then_ever_more_rarely():
    _, notes = waited([NIGHTLY] * 3600 + ["slot"], step=1.0)
    assert 6 <= len(notes) <= 10


def test_a_wait_ends_in_one_line_that_names_holder_setting_and_way_out():
    with pytest.raises(SlotTakenError) as refused:
        waited([NIGHTLY], seconds=5)
    text = str(refused.value)
    assert refused.value.exit_code == ExitCode.INVALID
    for part in (
        "nightly (process 7",
        "after waiting 5 s",
        "--wait",
        "NIGHTBENCH_RUN__WAIT_SECONDS",
        "nothing was",
    ):
        assert part in text


def test_no_seconds_refuse_at_once():
    with pytest.raises(
        SlotTakenError, match=r"^the database h:5432/app is being loaded by nightly .*\): nothing"
    ):
        waited([NIGHTLY, "slot"], seconds=0, step=0.0)


def test_told_to_end_it_waits_no_longer():
    async def scene():
        stop = asyncio.Event()

        async def take():
            stop.set()
            return NIGHTLY

        async with asyncio.timeout(10):
            await wait_for(take, seconds=9999, stop=stop, on_note=lambda _: None, poll=9999)

    with pytest.raises(NotBegunError):
        asyncio.run(scene())


@pytest.fixture
def embedded(tmp_path, monkeypatch):
    """Settings with slots of their own, and another run that loads the embedded subject."""
    monkeypatch.setenv("NIGHTBENCH_RUN__SLOTS", str(tmp_path / "slots"))
    monkeypatch.setenv("NIGHTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    settings = Settings(results=tmp_path / "results")
    with PlaceInLine(tmp_path / "slots", keys_of(settings, ["database"]), "nightly") as place:
        taken = place.take()
    yield settings, taken
    taken.free()


@pytest.mark.parametrize(
    "command",
    ["websocket --wait 0", "database --wait 0", "calibrate quick --runs 2 --wait 0", "run quick --wait 0"],
)
def test_a_command_is_refused_with_a_clear_word_while_another_run_loads_its_subject(
    embedded, capsys, command
):
    assert run_command(command.split()) == ExitCode.INVALID
    last = capsys.readouterr().err.splitlines()[-1]
    assert "the embedded subject of this machine is being loaded by nightly" in last


def test_the_flag_wins_over_the_setting(embedded, capsys, monkeypatch):
    monkeypatch.setenv("NIGHTBENCH_RUN__WAIT_SECONDS", "9999")
    assert run_command(["websocket", "--wait", "0"]) == ExitCode.INVALID


def test_a_wait_that_is_none_is_refused_by_the_name_of_its_flag(embedded, capsys):
    assert run_command(["websocket", "--wait", "-1"]) == ExitCode.WRONG_USE
    assert "--wait" in capsys.readouterr().err


def test_a_night_waits_and_its_id_tells_when_it_began(embedded):
    settings, taken = embedded
    notes, night_ids = [], []

    async def scene():
        def note(text):
            notes.append(text)
            night_ids.append(running_night().night_id)
            asyncio.get_running_loop().call_later(1.0, taken.free)

        async with open_night("quick", settings, on_note=note) as night:
            assert running_night() is night
            return night.night_id

    night_id = asyncio.run(scene())
    assert "nightly" in notes[0]
    assert night_id[:16] > night_ids[0][:16]
    assert not list((settings.outbox_folder).glob("*.json"))


def test_a_night_that_never_got_its_slot_is_told(embedded):
    settings, _ = embedded
    settings = settings.model_copy(update={"run": settings.run.model_copy(update={"wait_seconds": 0})})

    async def scene():
        async with open_night("quick", settings):
            pytest.fail("it began")

    with pytest.raises(SlotTakenError):
        asyncio.run(scene())
    assert any(
        "is being loaded by" in file.read_text()
        for file in settings.outbox_folder.iterdir()
        if file.is_file()
    )


def test_a_night_that_was_told_to_end_while_it_waited_is_nobodys_failure(embedded):
    settings, _ = embedded

    async def scene():
        stop = asyncio.Event()
        async with open_night("quick", settings, stop=stop, on_note=lambda _: stop.set()):
            pytest.fail("it began")

    with pytest.raises(NotBegunError):
        asyncio.run(scene())
    assert not [
        file for file in settings.outbox_folder.iterdir() if file.is_file() and file.suffix != ".lock"
    ]


def test_others_are_told_of_what_they_may_load_too(tmp_path):
    settings = Settings(websocket_url="ws://h/chat", run={"slots": tmp_path})

    async def scene():
        both = ["websocket", "database"]
        async with slots(settings, both, "one", stop=asyncio.Event(), on_note=lambda _: None) as mine:
            assert held() is mine
            with known_here_only():
                assert held() is None
            return mine

    mine = asyncio.run(scene())
    assert [key.kind for key in mine.keys] == ["embedded", "websocket"]
    assert [key.kind for key in mine.shared] == ["websocket"]
    assert held() is None
