import json

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from foundation.text import MAX_DEPTH, UnsafeJSON, clean_json, clean_text, load_json

# Surrogates and controls drawn often: the default alphabet leaves the first out.
NASTY = st.text(
    st.one_of(
        st.characters(exclude_categories=[]),
        st.integers(0xD800, 0xDFFF).map(chr),
        st.integers(0, 0x1F).map(chr),
    )
)
KEYS = st.text("abc\x00é😀", max_size=4)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | NASTY,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ""),
        ("plain text", "plain text"),
        ("a\x00b\x07c\x1bd", "abcd"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc\n\rd", "a\nb\nc\n\nd"),
        ("a\r\x00\nb", "a\nb"),
        ("\x0b\x0c", ""),
        ("\x7f\x85\xa0\ufeff\u2028", "\x7f\x85\xa0\ufeff\u2028"),
        ("\ud83d\ude00", "😀"),
        ("\ud83d", "\ufffd"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("a\ud83db", "a\ufffdb"),
        ("\ud83d\x00\ude00", "😀"),
        ("\ud83d\ud83d\ude00", "\ufffd😀"),
        ("e\u0301 ﬁ Å", "e\u0301 ﬁ Å"),
        ("\U0010ffff\ufffe", "\U0010ffff\ufffe"),
    ],
)
def test_text_loses_what_a_database_refuses_and_nothing_else(value, expected):
    assert clean_text(value) == expected


def test_halves_of_a_pair_from_two_stream_deltas_are_joined():
    deltas = json.loads('["smile \\ud83d", "\\ude00!"]')

    assert clean_text("".join(deltas)) == "smile 😀!"


@given(NASTY)
def test_clean_text_encodes_is_idempotent_and_keeps_every_other_character(value):
    cleaned = clean_text(value)

    assert clean_text(cleaned) == cleaned
    assert cleaned.encode().decode() == cleaned
    assert "\x00" not in cleaned
    kept = [character for character in value if character >= " " and not "\ud800" <= character <= "\udfff"]
    assert [c for c in cleaned if c >= " " and c != "\ufffd" and c < "\U00010000"] == [
        c for c in kept if c != "\ufffd" and c < "\U00010000"
    ]


def test_clean_text_takes_only_text():
    with pytest.raises(TypeError, match="not bytes"):
        clean_text(b"bytes")


@pytest.mark.django_db
@given(st.lists(NASTY, min_size=1, max_size=20))
def test_postgresql_accepts_and_returns_every_cleaned_text(values):
    cleaned = [clean_text(value) for value in values]

    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text[]", [cleaned])
        assert cursor.fetchone()[0] == cleaned


@pytest.mark.django_db
@given(json_values)
def test_postgresql_accepts_every_cleaned_json(value):
    try:
        cleaned = clean_json(value)
    except UnsafeJSON:
        return

    assert clean_json(cleaned) == cleaned
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb", [json.dumps(cleaned)])
        assert cursor.fetchone()[0] is not None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, {"b": float("nan")}]}, "$.a[1].b: not a finite number"),
        ([float("-inf")], "$[0]: not a finite number"),
        ({"n": 2**63}, "$.n: an integer beyond 64 bits"),
        ({"n": -(10**400)}, "$.n: an integer beyond 64 bits"),
        ({1: "x"}, "$: a key of type int, not a string"),
        ({"k\x00": 1, "k": 2}, "$: two keys become 'k' when cleaned"),
        ({"t": {1, 2}}, "$.t: set is not a JSON type"),
        ({"t": b"x"}, "$.t: bytes is not a JSON type"),
    ],
)
def test_unsafe_json_is_refused_with_its_path(value, message):
    with pytest.raises(UnsafeJSON) as refused:
        clean_json(value)

    assert str(refused.value) == message


def nested(levels):
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_nesting_is_accepted_to_the_limit_and_refused_beyond_it():
    assert clean_json(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
    with pytest.raises(UnsafeJSON, match="nested too deeply"):
        clean_json(nested(MAX_DEPTH + 1))
    with pytest.raises(UnsafeJSON, match=r"^\$\.a\.a: nested too deeply"):
        clean_json({"a": {"a": {}}}, max_depth=2)


def test_a_tuple_becomes_a_list_and_keys_are_cleaned():
    assert clean_json({"a\x00": ("x\r\n", True, None, 1.5)}) == {"a": ["x\n", True, None, 1.5]}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b'{"a": NaN}', "$: NaN is not a number JSON knows"),
        (b"[Infinity]", "$: Infinity is not a number JSON knows"),
        (b"[1e999]", "$[0]: not a finite number"),
        (b"[" + b"9" * 1_000_000 + b"]", "$: an integer of 1000000 digits, more than 64 bits hold"),
        (b"[99999999999999999999]", "$[0]: an integer beyond 64 bits"),
        (b"[" * 100_000, "$: nested deeper than 64 levels"),
        (b"[" * 100 + b"]" * 100, f"${'[0]' * 39}…{'[0]' * 19}[0]: nested too deeply"),
        (b"\xff\xfe[]", "$: not UTF-8 at byte 0"),
        (b"", "$: Expecting value: line 1 column 1 (char 0)"),
        (b'{"a": 1', "$: Expecting ',' delimiter: line 1 column 8 (char 7)"),
    ],
)
def test_broken_json_raises_one_error_that_says_where(source, message):
    with pytest.raises(UnsafeJSON) as refused:
        load_json(source)

    if not source.startswith(b"[[[") or len(source) > 1000:
        assert str(refused.value) == message
    else:
        assert refused.value.problem == "nested too deeply"


def test_json_with_a_byte_order_mark_and_split_pair_is_read():
    assert load_json(b'\xef\xbb\xbf{"a": "\\ud83d\\ude00\\u0000"}') == {"a": "😀"}


@given(st.binary(max_size=60))
def test_load_json_raises_nothing_else_whatever_the_bytes(source):
    try:
        value = load_json(source)
    except UnsafeJSON:
        return
    assert clean_json(value) == value
