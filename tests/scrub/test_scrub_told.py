# ruff: noqa: RUF001  # letters of other scripts
"""Passwords that commands, sentences and several lines tell are gone; sentences that tell none stay."""

import pytest

from nightbench.scrub import scrub

TOLD = [
    *("password is {}", "the password was {}, rejected", "Password was: {}", "Invalid password {} for user x", "Set passwd to {}"),
    *("пароль: {}", "密码：{}", "パスワード={}", "비밀번호: {}", "hasło: {}", "wachtwoord={}", "mot de passe : {}", "şifre={}", "lösenord: {}"),
    *("ldap_bind_pw={}", "pw={}", "password0={}", "password=\n{}", '"password":\n  "{}"', "password: |\n  {}\n", "secret: >-\n  {}"),
    *("- name: DB_PASSWORD\n  value: {}", "mysql -u root -p{} db", "['mysqldump', '-p{}']", "sshpass -p {} ssh h", "redis-cli -h c -a {} PING"),
    *("curl --user admin:{} https://h", "['curl', '-u', 'bob:{}', 'h']", "docker login -u a -p {} r", "openssl rsa -passin pass:{}"),
    *("jdbc:oracle:thin:scott/{}@//db:1521/o", "SecretStr('{}')", "<Token value='{}'>", "password\x00{}\x00", "b'\\x00password\\x00{}\\x00'"),
    *('{{"pass\\u0077ord": "{}"}}', "password\\x3d{}", '{{"kty": "EC", "d": "{}"}}', "host=h password='it''s {}' dbname=x"),
    *('missing "=" after "{}" in connection info string', 'could not translate host name "{}@db" to address', "AUTH {}", "AUTH default {}"),
    *("HSET user:7 name {}", "Command # 1 (SET k {}) of pipeline caused error", "with args beginning with: '{}'", "/reset-password/{}0123456789ab"),
    *("Token 0123456789abcdef0123456789abcdef01234567{}", "SSWS 00{}0123456789abcdefABCDEF", "x-hub-signature-256: sha256={}"),
    *("USER={}", "LOGNAME={}", "verification code: {}", "log: 'x\\npassword={}'", "'got BEARER\\t{}'", "'token:\\xa0{}'"),
]  # fmt: skip

TELLS_NONE = [
    *("the password is required", "password was rejected", "Invalid password format", "set password to default", "password authentication failed"),
    *("password reset page failed", "AUTH failed for user x", "SET x", "verification code: wrong", "access token expired", "password:\n  min: 8"),
    *("if self._token:\n    reset(self._token)", "select('a')", "mysql -u root -h db pam", "'a\\nb\\tc'", "C:\\new\\table", "DEFAULT 5", "~5 ms/op"),
]  # fmt: skip


@pytest.mark.parametrize("text", TOLD)
def test_what_is_told_is_gone(text):
    assert "Quetzal9Kx" not in scrub(text.format("Quetzal9Kx"))
    assert "Quetzal9Kx" not in scrub(f"Error: {text.format('Quetzal9Kx')}")


@pytest.mark.parametrize("text", TELLS_NONE)
def test_what_tells_none_stays(text):
    assert scrub(text) == text


def test_escaped_white_space_is_still_escaped():
    assert scrub(r"'first\npassword=hunter2 b\tc'") == r"'first\npassword=*** b\tc'"


def test_a_block_ends_where_its_indentation_does():
    assert scrub("a:\n  password: |\n    one\n\n    two\n  b: 1") == "a:\n  password: |\n    ***\n  b: 1"
