# ruff: noqa: RUF001  # letters of other scripts
"""Values in messages of a server that speaks another language than English are gone, names of tables stay."""

import pytest

from nightbench.scrub import scrub

VALUES = [
    *("DETAIL:  Schlüssel »(name)=({})« existiert bereits.", "DÉTAIL : La clé « (nom)=({}) » existe déjà.", "DETALLE:  Ya existe la llave (n)=({})."),
    *('ПОДРОБНОСТИ:  Ключ "(n)=({})" уже существует.', '描述:  键值"(n)=({})" 已经存在', "キー (n)=({}) はすでに存在します。", "(n)=({}) 키가 이미 있습니다."),
    *("La chiave (n)=({}) esiste già.", "Klucz (n)=({}) już istnieje.", "(n)=({}) anahtarı zaten mevcut.", "Chave (n)=({}) já existe."),
    *("DETALJER:  Raden (1, {})", "SZCZEGÓŁY:  Niepoprawny wiersz zawiera (1, {}).", "詳細: 行 (1, {})", "상세정보: 실패 (1, {})", "AYRINTI:  Satır (1, {})"),
    *("ΛΕΠΤΟΜΕΡΕΙΑ: {}", "დეტალები: {}", "ДОКЛАДНО: {}", "DETTAGLI: {}", "DETALHE: {}", "详细信息: {}"),
    *("ungültige Eingabesyntax für Typ integer: »{}«", "syntaxe en entrée invalide pour le type integer : « {} »", "no es válida para tipo integer: «{}»"),
    *('неверный синтаксис для типа integer: "{}"', '无效的类型 integer 输入语法: "{}"', '型integerの入力構文が不正です: "{}"', '잘못된 입력 구문: "{}"'),
    *("KONTEXT:  COPY t, Zeile 1, Spalte a: »{}«", "COPY t, línea 1, columna a: «{}»", 'COPY t, строка 1, столбец a: "{}"', "COPY t, ligne 4 : « {} »"),
    "The duplicate key value is ({}).",
]  # fmt: skip

STAYS = (
    "FEHLER:  Spalte »name« existiert nicht",
    'ОШИБКА:  отношение "users" не существует',
    "ERREUR:  la relation « users » n'existe pas",
    "doppelter Schlüsselwert verletzt Unique-Constraint »users_email_key«",
)


@pytest.mark.parametrize("text", VALUES)
def test_values_are_gone(text):
    assert "Zarathustra" not in scrub(f"ERROR: x\n{text.format('Zarathustra')}\n")
    assert "Zarathustra" not in scrub(repr(f"ERROR: x\n{text.format('Zarathustra')}"))


@pytest.mark.parametrize("text", STAYS)
def test_names_of_tables_and_columns_stay(text):
    assert scrub(text) == text
