"""Log lines without what people wrote, whichever way it would get in."""

import logging
from io import StringIO

import pytest
import structlog
from django.template import Context, Template, VariableDoesNotExist

SECRET = "my-secret-prompt"


@pytest.fixture
def lines():
    """What the configured handler writes."""
    handler = next(
        each for each in logging.getLogger().handlers if isinstance(each.formatter, structlog.stdlib.ProcessorFormatter)
    )
    written = StringIO()
    before = handler.setStream(written)
    yield written.getvalue
    handler.setStream(before)


def test_fields_that_could_hold_a_prompt_or_a_key_are_hidden(lines):
    structlog.get_logger("cardinal").warning("asked", prompt=SECRET, api_key=SECRET, models=2)
    written = lines()
    assert SECRET not in written
    assert "prompt=(hidden)" in written
    assert "models=2" in written


def test_a_line_about_an_invitation_does_not_let_its_reader_join(lines):
    structlog.get_logger("cardinal").info("request_finished", request="POST /join/S3cret-token_1?next=/")
    written = lines()
    assert "S3cret" not in written
    assert "/join/(hidden)?next=/" in written


@pytest.mark.parametrize("address", ["/shared/S3cret-token_1/models", "/mine/link/S3cret-token_1"])
def test_a_line_about_a_shared_battle_or_a_link_to_own_data_does_not_open_it(lines, address):
    structlog.get_logger("cardinal").info("request_finished", request=f"GET {address}")
    written = lines()
    assert "S3cret" not in written
    assert address.replace("S3cret-token_1", "(hidden)") in written


def test_an_exception_is_logged_by_type_and_place_not_by_what_it_quotes(lines):
    try:
        Template("{{ a|default:missing }}").render(Context({"a": SECRET}))
    except VariableDoesNotExist:
        logging.getLogger("django.request").exception("Internal Server Error")
    written = lines()
    assert 'exception="VariableDoesNotExist' in written
    assert "test_logs.py" in written
    assert SECRET not in written


def test_control_the_exceptions_own_text_would_have_quoted_it():
    with pytest.raises(VariableDoesNotExist) as refused:
        Template("{{ a|default:missing }}").render(Context({"a": SECRET}))
    assert SECRET in str(refused.value)


def test_who_looks_for_a_fault_can_ask_for_the_text(lines, monkeypatch):
    monkeypatch.setenv("LOG_EXCEPTION_TEXT", "true")
    try:
        raise ValueError("the reason")
    except ValueError:
        logging.getLogger("cardinal").exception("failed")
    assert "the reason" in lines()
