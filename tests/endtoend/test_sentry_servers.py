"""The servers that other tests send to: what arrives can be read, and a server that does not start says so."""

import json
import urllib.error
import urllib.request
import uuid

import pytest
import sentry_servers
from sentry_servers import bugsink, kent


def _post(server, *items, event_id=None):
    event_id = event_id or uuid.uuid4().hex
    lines = [json.dumps({"event_id": event_id, "dsn": server.dsn}).encode()]
    for header, body in items:
        lines += [json.dumps({**header, "length": len(body)}).encode(), body]
    request = urllib.request.Request(
        f"{server.url}/api/1/envelope/",
        data=b"\n".join(lines) + b"\n",
        headers={"Content-Type": "application/x-sentry-envelope"},
    )
    with urllib.request.urlopen(request, timeout=30):
        return event_id


def _event(message):
    event = {"message": message, "platform": "python", "timestamp": 1_700_000_000, "fingerprint": [message]}
    return {"type": "event"}, json.dumps(event).encode()


CHART = ({"type": "attachment", "filename": "chart.png"}, b"\x89PNG\r\n\x1a\n\x00\n{}")
CHECK_IN = ({"type": "check_in"}, b'{"monitor_slug": "nightly"}')


def test_bugsink_keeps_events_once_over_an_outage_and_groups_and_resolves_them(tmp_path):
    with bugsink(tmp_path) as server:
        _post(server, _event("first"), CHART)
        _post(server, CHECK_IN)
        server.stop()
        with pytest.raises(urllib.error.URLError, match="refused"):
            _post(server, _event("nobody listens"))
        server.start()
        again = _post(server, _event("second"))
        _post(server, _event("second"), event_id=again)
        assert [event["message"] for event in server.wait_events(2)] == ["first", "second"]
        issues = server.issues()
        assert [issue["calculated_value"] for issue in issues] == ["first", "second"]
        assert server.resolve(issues[0]["id"])["is_resolved"]
        assert [issue["is_resolved"] for issue in server.issues()] == [True, False]
        server.clear()
        assert (server.events(), server.issues()) == ([], [])


def test_bugsink_refuses_what_is_more_than_its_settings_allow(tmp_path):
    with bugsink(tmp_path, most_events_per_5_minutes=1, MAX_EVENT_SIZE=1000) as server:
        with pytest.raises(urllib.error.HTTPError, match="413"):
            _post(server, _event("x" * 2000))
        _post(server, _event("taken"))
        with pytest.raises(urllib.error.HTTPError, match="429"):
            _post(server, _event("too many"))
        assert len(server.events()) == 1


def test_kent_keeps_every_item_as_it_came(tmp_path):
    with kent(tmp_path) as server:
        event_id = _post(server, CHART, _event("first"), CHECK_IN)
        [chart] = server.wait_items("attachment", 1)
        assert (chart.body, chart.header["filename"]) == (CHART[1], "chart.png")
        assert [item.type for item in server.items()] == ["attachment", "event", "check_in"]
        assert {item.envelope["event_id"] for item in server.items()} == {event_id}
        server.clear()
        assert server.items() == []


def test_a_server_that_does_not_start_says_why(tmp_path, monkeypatch):
    with pytest.raises(AssertionError, match="did not start: HTTP Error 500"), bugsink(tmp_path, BASE_URL=3):
        pass
    monkeypatch.setattr(sentry_servers, "PROGRAMS", tmp_path / "nothing")
    with pytest.raises(AssertionError, match=r"(?s)did not start.*No such file"), kent(tmp_path):
        pass
