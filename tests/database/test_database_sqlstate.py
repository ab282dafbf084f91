"""The SQLSTATE of a failure, told from the words of PostgreSQL and of poolers where libpq gives none."""

import psycopg
import pytest

from nightbench.database.sqlstate import sqlstate_of

FAILED = 'connection failed: connection to server at "127.0.0.1", port 5432 failed: '


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("fe_sendauth: no password supplied", "28P01"),
        ('FATAL:  password authentication failed for user "u"', "28P01"),
        ('FATAL:  LDAP authentication failed for user "u"', "28000"),
        (
            'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "u", database "d", no encryption',
            "28000",
        ),
        (
            'FATAL:  pg_hba.conf rejects connection for host "10.0.0.1", user "u", database "d", SSL encryption',
            "28000",
        ),
        ('FATAL:  role "u" does not exist', "28000"),
        ('FATAL:  role "u" is not permitted to log in', "28000"),
        ('FATAL:  database "d" does not exist', "3D000"),
        ("FATAL:  no such database: d", "3D000"),
        ('FATAL:  database "d" is not currently accepting connections', "55000"),
        (
            'FATAL:  permission denied for database "d"\nDETAIL:  User does not have CONNECT privilege.',
            "42501",
        ),
        ("FATAL:  sorry, too many clients already", "53300"),
        ('FATAL:  too many connections for role "u"', "53300"),
        (
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "53300",
        ),
        ("FATAL:  no more connections allowed (max_client_conn)", "53300"),
        ("FATAL:  Max client connections reached", "53300"),
        ("FATAL:  the database system is starting up", "57P03"),
        ("FATAL:  the database system is shutting down", "57P03"),
        ("FATAL:  the database system is in recovery mode", "57P03"),
        ("FATAL:  the database system is not yet accepting connections", "57P03"),
        ("FATAL:  terminating connection due to administrator command", "57P01"),
        ("FATAL:  terminating connection because of crash of another server process", "57P02"),
        ("Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?", None),
        ("server closed the connection unexpectedly", None),
        ("FATAL:  Passwort-Authentifizierung für Benutzer »u« fehlgeschlagen", None),
    ],
)
def test_words_tell_the_state(words, state):
    assert sqlstate_of(psycopg.OperationalError(FAILED + words)) == state


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (psycopg.errors.AdminShutdown("too many clients"), "57P01"),
        (psycopg.ProgrammingError('role "u" does not exist'), None),
        (KeyError("too many clients"), None),
        (None, None),
    ],
)
def test_words_count_only_where_there_is_no_state_and_a_connection_was_at_stake(error, state):
    assert sqlstate_of(error) == state
