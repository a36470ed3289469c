import base64

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from foundation.encryption import (
    Unreadable,
    blind_digest,
    new_key,
    seal,
    seal_secret,
    unseal,
    unseal_secret,
    unwrap_key,
    wrap_key,
)

KEY = bytes(range(32))


@given(st.binary(max_size=200), st.text(max_size=40).filter(str.isprintable))
def test_what_is_sealed_is_read_back_with_its_key_and_context(plaintext, context):
    assert unseal(seal(plaintext, key=KEY, context=context), key=KEY, context=context) == plaintext


def test_sealing_twice_gives_different_bytes_that_do_not_hold_the_plaintext():
    first, second = (seal(b"the annotator wrote this", key=KEY, context="c") for _ in range(2))

    assert first != second
    assert b"annotator" not in first + second
    assert len(first) == 1 + 12 + len(b"the annotator wrote this") + 16


@pytest.mark.parametrize("position", [0, 1, 12, 13, 20, -1])
def test_one_changed_byte_is_unreadable(position):
    sealed = bytearray(seal(b"plaintext", key=KEY, context="c"))
    sealed[position] ^= 1

    with pytest.raises(Unreadable):
        unseal(bytes(sealed), key=KEY, context="c")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + bytes(11), b"\x01" + bytes(12), b"plaintext", b"\x02" * 40])
def test_what_was_never_sealed_is_unreadable(sealed):
    with pytest.raises(Unreadable):
        unseal(sealed, key=KEY, context="c")


def test_another_key_or_context_is_unreadable():
    sealed = seal(b"plaintext", key=KEY, context="person 1")

    with pytest.raises(Unreadable):
        unseal(sealed, key=new_key(), context="person 1")
    with pytest.raises(Unreadable):
        unseal(sealed, key=KEY, context="person 2")


def test_a_memoryview_from_the_database_is_read():
    assert unseal(memoryview(seal(b"x", key=KEY, context="c")), key=memoryview(KEY), context="c") == b"x"


def test_a_key_of_another_length_is_refused():
    for operation in (
        lambda: seal(b"x", key=b"short", context="c"),
        lambda: wrap_key(b"short", context="c"),
        lambda: blind_digest("x", purpose="p", key=b"short"),
    ):
        with pytest.raises(ValueError, match="a key has 32 bytes, not 5"):
            operation()


def test_a_wrapped_key_comes_back_only_in_its_context_and_under_its_deployment(settings):
    key = new_key()
    wrapped = wrap_key(key, context="person 7")

    assert unwrap_key(wrapped, context="person 7") == key
    assert key not in wrapped
    with pytest.raises(Unreadable):
        unwrap_key(wrapped, context="person 8")
    settings.ENCRYPTION_KEY = new_key()
    with pytest.raises(Unreadable):
        unwrap_key(wrapped, context="person 7")


def test_a_secret_is_sealed_apart_from_wrapped_keys():
    sealed = seal_secret("sk-secret-é")

    assert unseal_secret(sealed) == "sk-secret-é"
    assert b"secret" not in sealed
    with pytest.raises(Unreadable):
        unwrap_key(sealed, context="")


def test_a_digest_depends_on_value_purpose_and_key_and_on_nothing_else(settings):
    settings.ENCRYPTION_KEY = KEY
    digests = [
        blind_digest("alice", purpose="pseudonym"),
        blind_digest("bob", purpose="pseudonym"),
        blind_digest("alice", purpose="network"),
        blind_digest("alice", purpose="pseudonym", key=bytes(32)),
        blind_digest("alice", purpose="pseudonym", key=bytes([1]) * 32),
    ]

    assert len(set(digests)) == 5
    assert {len(digest) for digest in digests} == {64}
    assert blind_digest(b"alice", purpose="pseudonym") == digests[0]
    # Fixed for good: pseudonyms stored by an earlier version must still match.
    assert digests[0] == "ed045ae8edfee6b4b585b6f5f4480e886d6b6431851702731e326449750548ee"
    settings.ENCRYPTION_KEY = new_key()
    assert blind_digest("alice", purpose="pseudonym") != digests[0]


@pytest.mark.parametrize("key", [b"", b"short", bytes(33), base64.b64encode(KEY).decode()])
def test_a_missing_or_short_deployment_key_is_named(settings, key):
    settings.ENCRYPTION_KEY = key

    for operation in (
        lambda: wrap_key(KEY, context="c"),
        lambda: seal_secret("x"),
        lambda: blind_digest("x", purpose="p"),
    ):
        with pytest.raises(ImproperlyConfigured, match="CARDINAL_ENCRYPTION_KEY must be base64 of 32 random bytes"):
            operation()
