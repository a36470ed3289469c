from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.questions.amount.typed_decimal import amount_text, parse_amount
from annotation.questions.refusals import Refused

LARGEST = Decimal("999999999999.9999")


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("0", "0.00"),
        ("000", "0.00"),
        ("5", "5.00"),
        ("1.5", "1.50"),
        ("1,50", "1.50"),
        ("0,5", "0.50"),
        (" 12.34\n", "12.34"),
        ("0.125", "0.1250"),
        ("1.1250", "1.1250"),
        ("1500.125", "1500.1250"),
        ("0.00001000", None),
        ("2.50000000", "2.50"),
        ("1000", "1000.00"),
        ("1000000", "1000000.00"),
        ("999999999999.9999", "999999999999.9999"),
        ("٣٫٥", "3.50"),
        ("٣٬٥٠٠", None),
        ("٣.٥", "3.50"),
        ("１２", "12.00"),
        (7, "7.00"),
        (1.1, "1.10"),
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (1.125, "1.1250"),
        (1.5, "1.50"),
        (1e3, "1000.00"),
        (Decimal("1.500"), "1.50"),
        (Decimal("0E+999999"), "0.00"),
    ],
)
def test_a_number_is_read_exactly(typed, text):
    if text is None:
        with pytest.raises(Refused):
            parse_amount(typed)
    else:
        assert str(parse_amount(typed)) == text


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "not_a_number"),
        ("NaN", "not_a_number"),
        ("Infinity", "not_a_number"),
        ("1e5", "not_a_number"),
        ("$5", "not_a_number"),
        ("5 USD", "not_a_number"),
        ("1 000", "not_a_number"),
        ("1'000", "not_a_number"),
        ("1,000,000", "not_a_number"),
        ("1.000,50", "not_a_number"),
        (".5", "not_a_number"),
        ("5.", "not_a_number"),
        ("10²", "not_a_number"),
        ("+5", "not_a_number"),
        ("--5", "not_a_number"),
        ("9" * 100, "not_a_number"),
        ("\x00", "not_a_number"),
        ("\ud800", "not_a_number"),
        ("1,500", "ambiguous"),
        ("1.500", "ambiguous"),
        ("12,345", "ambiguous"),
        ("-5", "negative"),
        ("- 0.5", "negative"),
        ("\N{MINUS SIGN}5", "negative"),
        ("1.12345", "too_fine"),
        ("1000000000000", "too_large"),
        (float("nan"), "not_a_number"),
        (float("inf"), "not_a_number"),
        (Decimal("sNaN"), "not_a_number"),
        (-1, "negative"),
        (-0.01, "negative"),
        (10**12, "too_large"),
        (10**300, "too_large"),
        (1e300, "too_large"),
        (Decimal("1E+999999"), "too_large"),
        (Decimal("1E-999999"), "too_fine"),
        (1e-7, "too_fine"),
        (0.1 + 0.2, "too_fine"),
        (True, "malformed"),
        (None, "malformed"),
        (["5"], "malformed"),
        (b"5", "malformed"),
    ],
)
def test_what_is_not_plainly_an_amount_is_refused_by_name(typed, code):
    with pytest.raises(Refused) as refused:
        parse_amount(typed)
    assert refused.value.refusal.code == code
    # The message can be sent: nothing of a lone surrogate or a NUL is left in it.
    assert "\x00" not in refused.value.refusal.message
    refused.value.refusal.message.encode()


def test_an_ambiguous_mark_is_answered_with_both_ways_to_write_it():
    with pytest.raises(Refused) as refused:
        parse_amount("1,500")
    assert refused.value.refusal.message == "“1,500” can be read in two ways. Type 1500 or 1.50."
    assert [parse_amount("1500"), parse_amount("1.50")] == [Decimal("1500.00"), Decimal("1.50")]


amounts = st.decimals(min_value=0, max_value=LARGEST, places=4)


@given(amounts)
def test_what_is_stored_reads_back_as_itself(amount):
    stored = amount_text(amount)
    assert Decimal(stored) == amount
    assert amount_text(parse_amount(stored)) == stored


@given(amounts)
def test_a_comma_means_what_a_point_means(amount):
    stored = amount_text(amount)
    assert parse_amount(stored.replace(".", ",")) == amount


@given(st.one_of(st.text(), st.integers(), st.floats(), st.decimals(allow_nan=True), st.none(), st.binary()))
def test_whatever_is_typed_is_an_exact_amount_within_the_column_or_refused(typed):
    try:
        amount = parse_amount(typed)
    except Refused:
        return
    assert Decimal(0) <= amount <= LARGEST
    assert amount == amount.quantize(Decimal("0.0001"))
    assert not amount.is_signed()
