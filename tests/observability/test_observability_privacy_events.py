"""What a watched backend tells of an error, read back from a real server: no secret of any class from any place."""

import json

import pytest
import sentry_sdk
from privacy_cases import CASES, OF_EACH_CLASS, texts_of
from privacy_places import PLACES, raised
from sentry_servers import bugsink

from nightbench import observability


@pytest.fixture(scope="module")
def arrived(tmp_path_factory):
    """Each case's event as the server stored it, all sent before the first is looked at; of `several`, their texts."""
    with bugsink(tmp_path_factory.mktemp("bugsink")) as server:
        assert observability.init(server.dsn, "pam-backend", "1.2.3", "production")
        several = raised(ExceptionGroup("several", [ValueError(case.text) for case in OF_EACH_CLASS]))
        sent = {}
        for some in batched(CASES, 50):  # the queue of the SDK holds 100
            sent.update({str(case): PLACES[case.place](case.text) for case in some})
            sentry_sdk.flush(30)
        events = {event["event_id"]: event for event in server.wait_events(len(sent) + 1)}
        observability.init("")
    found = {name: events.get(event_id) for name, event_id in sent.items()}
    values = {
        each["mechanism"].get("source"): each["value"] for each in events[several]["exception"]["values"]
    }
    return found | {str(case): values[f"exceptions[{place}]"] for place, case in enumerate(OF_EACH_CLASS)}


@pytest.mark.parametrize("case", OF_EACH_CLASS + CASES, ids=str)
def test_of_an_event(case, arrived):
    event = arrived[str(case)]
    assert event is not None, "it did not arrive"
    texts = list(texts_of(event))
    for secret in case.secrets:
        assert [text for text in texts if secret in text] == []
    for word in case.stays:
        assert any(word in text for text in texts), json.dumps(event, indent=1)


def batched(values, size):
    return [values[start : start + size] for start in range(0, len(values), size)]
