"""The sans-I/O handshake: what is asked, and which responses will do."""

import itertools
import re
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.server import ServerProtocol
from websockets.uri import parse_uri
from websockets.utils import accept_key

from nightbench.websocket.error_classes import ConnectionFailedError, opening_class
from nightbench.websocket.handshake import Handshake, Offer, _response

URI = parse_uri("ws://127.0.0.1:8000/chat")


def key_of(request):
    return re.search(rb"Sec-WebSocket-Key: (\S+)", request)[1].decode()


def response_to(request, accept=None, more=""):
    value = accept_key(key_of(request)) if accept is None else accept
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {value}\r\n{more}\r\n"
    ).encode()


def test_websockets_takes_the_request_and_we_its_response():
    server = ServerProtocol(subprotocols=["chat.v1"])
    ours = Handshake(Offer(URI, subprotocols=("chat.v1",), compression=True))
    server.receive_data(ours.request((("X-User", "7"),)))
    (request,) = server.events_received()
    assert (request.path, request.headers["X-User"]) == ("/chat", "7")
    server.send_response(server.accept(request))
    assert ours.feed(b"".join(server.data_to_send())) == b""
    assert ours.deflate is None  # it was offered, and not taken


@given(st.binary(max_size=20), st.lists(st.integers(0, 200), max_size=5))
def test_a_response_may_come_in_pieces_and_what_follows_it_is_handed_on(behind, cuts):
    ours = Handshake(Offer(URI))
    data = response_to(ours.request(())) + behind
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    rest = None
    for start, stop in itertools.pairwise(places):
        rest = ours.feed(data[start:stop]) if rest is None else rest + data[start:stop]
    assert rest == behind


@pytest.mark.parametrize(
    "wrong",
    ["", "\0", "bm90IHRoZSBrZXk=", accept_key("the key of somebody else")],
    ids=["none", "NUL", "nonsense", "another one's"],
)
def test_a_good_response_makes_no_later_one_with_a_wrong_accept_value_good(wrong):
    offer = Offer(URI)
    for _ in range(2):  # the second one is the same but for its value
        good = Handshake(offer)
        assert good.feed(response_to(good.request(()))) == b""
    bad = Handshake(offer)
    with pytest.raises(ConnectionFailedError, match="handshake_invalid"):
        bad.feed(response_to(bad.request(()), accept=wrong))


@pytest.mark.parametrize(
    "more", ["Sec-WebSocket-Protocol: chat\r\n", "Sec-WebSocket-Extensions: x-y\r\n", "Upgrade: h2c\r\n"]
)
def test_a_good_response_makes_no_later_one_with_other_headers_good(more):
    offer = Offer(URI)
    good = Handshake(offer)
    assert good.feed(response_to(good.request(()))) == b""
    bad = Handshake(offer)
    with pytest.raises(ConnectionFailedError):
        bad.feed(response_to(bad.request(()), more=more))


def test_the_accept_value_must_stand_at_its_place():
    offer = Offer(URI)
    good = Handshake(offer)
    good.feed(response_to(good.request(()), more="X-Trace: \r\n"))
    bad = Handshake(offer)
    request = bad.request(())
    with pytest.raises(ConnectionFailedError, match="handshake_invalid"):
        bad.feed(response_to(request, accept="", more=f"X-Trace: {accept_key(key_of(request))}\r\n"))


OFFERED = "Sec-WebSocket-Protocol"
BY_ALL, BY_EACH = "chat.v1", "bearer.{}"


def shaken(offer, user, taken, **response):
    """The handshake of `user`, who offers what all do and its own, when the server takes `taken`."""
    ours = Handshake(offer)
    request = ours.request(((OFFERED, f"{BY_ALL}, {BY_EACH.format(user)}"),))
    more = "" if taken is None else f"{OFFERED}: {taken}\r\n"
    return ours.feed(response_to(request, more=more, **response))


def test_a_users_own_subprotocols_take_the_place_of_those_of_all():
    server = ServerProtocol(subprotocols=["mine"])
    ours = Handshake(Offer(URI, subprotocols=("all",)))
    server.receive_data(ours.request(((OFFERED, "mine, other"),)))
    (request,) = server.events_received()
    assert request.headers.get_all(OFFERED) == ["mine, other"]
    server.send_response(server.accept(request))
    assert ours.feed(b"".join(server.data_to_send())) == b""


@pytest.mark.parametrize("first", [BY_ALL, BY_EACH.format(1)])
@pytest.mark.parametrize(
    ("taken", "good"),
    [
        (BY_ALL, True),
        (BY_EACH.format(2), True),
        (BY_EACH.format(1), False),
        ("", False),
        (None, False),
        ("\0", False),
        (f"{BY_ALL}, {BY_EACH.format(2)}", False),
        (f"{BY_ALL}\r\n{OFFERED}: {BY_EACH.format(2)}", False),
        (BY_ALL.upper(), False),
    ],
)
def test_each_user_is_given_one_of_those_that_it_offered_itself(first, taken, good):
    offer = Offer(URI)
    assert shaken(offer, 1, first) == b""
    if good:
        assert shaken(offer, 2, taken) == b""
        return
    with pytest.raises(ConnectionFailedError, match=r"handshake_(subprotocol|invalid)"):
        shaken(offer, 2, taken)


@pytest.mark.parametrize("wrong", ["\0", "", "bm90IHRoZSBrZXk=", BY_ALL])
def test_a_right_subprotocol_makes_no_wrong_accept_value_good(wrong):
    offer = Offer(URI)
    assert shaken(offer, 1, BY_ALL) == b""
    with pytest.raises(ConnectionFailedError, match="handshake_invalid"):
        shaken(offer, 2, BY_ALL, accept=wrong)


def test_who_offers_none_is_given_none_though_another_one_was():
    offer = Offer(URI)
    assert shaken(offer, 1, BY_ALL) == b""
    plain = Handshake(offer)
    with pytest.raises(ConnectionFailedError, match="handshake_subprotocol"):
        plain.feed(response_to(plain.request(()), more=f"{OFFERED}: {BY_ALL}\r\n"))


def test_who_offers_some_is_given_one_though_another_one_offered_none():
    offer = Offer(URI)
    plain = Handshake(offer)
    assert plain.feed(response_to(plain.request(()))) == b""
    with pytest.raises(ConnectionFailedError, match="handshake_subprotocol"):
        shaken(offer, 2, None)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([BY_ALL, *map(BY_EACH.format, range(4)), "x", None])),
        max_size=12,
    )
)
def test_whatever_was_approved_before_a_response_is_as_good_as_it_is_alone(handshakes):
    def ends(offer, user, taken):
        try:
            return shaken(offer, user, taken)
        except ConnectionFailedError as error:
            return error.error

    shared = Offer(URI)
    assert [ends(shared, *each) for each in handshakes] == [ends(Offer(URI), *each) for each in handshakes]


@pytest.mark.parametrize("takes", [BY_ALL, "its own"])
def test_of_many_responses_that_are_alike_one_is_looked_at_closely(takes, monkeypatch):
    looked = []
    monkeypatch.setattr(
        "nightbench.websocket.handshake._response",
        lambda head, real=_response: looked.append(head) or real(head),
    )
    offer = Offer(URI)
    for user in range(20):
        shaken(offer, user, BY_EACH.format(user) if takes == "its own" else takes)
    assert len(looked) == 1


def test_a_token_may_travel_in_the_query():
    request = Handshake(Offer(parse_uri("ws://127.0.0.1/chat?token=s3cret"))).request(())
    assert request.startswith(b"GET /chat?token=s3cret HTTP/1.1\r\n")


def test_no_two_requests_have_the_same_key():
    offer = Offer(URI)
    assert len({key_of(Handshake(offer).request(())) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (TimeoutError(), "connect_timeout"),
        (ConnectionRefusedError(), "connection_refused"),
        (OSError(24, "too many open files"), "connect_emfile"),
        (OSError(99, "no address left"), "connect_eaddrnotavail"),
        (OSError(113, "no route"), "connect_ehostunreach"),
        (socket.gaierror(-2, "unknown"), "connect_unknown_host"),
        (BrokenPipeError(), "handshake_reset"),
        (RuntimeError("what"), "connect_runtimeerror"),
    ],
)
def test_what_keeps_a_connection_from_being_opened_has_a_class(error, name):
    assert opening_class(error) == name
