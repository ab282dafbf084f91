"""Predicates as users write them, for the tests of the rules."""

answer = 42


def by_reference(message_id, message):
    return message.get("ref") == message_id
