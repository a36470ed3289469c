"""Accounts are by invitation, and what proves who one is, is kept sealed."""

import json
from datetime import timedelta

import pytest
from allauth.account.adapter import get_adapter
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.db import IntegrityError
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.adapter import InviteOnlyAdapter
from accounts.models import User
from accounts.policies import FOR, allow_sign_up
from tests.factories import make_user


def test_the_adapter_in_use_lets_only_those_sign_up_who_opened_an_invitation_of_late():
    adapter, request, now = get_adapter(), RequestFactory().get("/account/signup/"), timezone.now()
    assert type(adapter) is InviteOnlyAdapter
    request.session = SessionStore()
    assert adapter.is_open_for_signup(request) is False
    allow_sign_up(request.session, now=now - FOR - timedelta(seconds=1))
    assert adapter.is_open_for_signup(request) is False
    allow_sign_up(request.session, now=now)
    assert adapter.is_open_for_signup(request) is True


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/account/signup/", "/account/signup/?next=/admin/"])
def test_signing_up_makes_no_account(address):
    password = "a-long-secret-7613"
    form = {"email": "eve@example.org", "username": "eve", "password1": password, "password2": password}
    response = Client().post(address, form)
    assert (response.status_code, User.objects.count()) == (200, 0)


@pytest.mark.django_db
def test_addresses_of_people_are_unique():
    make_user(email="rosa@example.org")
    with pytest.raises(IntegrityError):
        make_user(email="rosa@example.org")


@pytest.mark.django_db
def test_the_secret_of_a_second_factor_is_sealed_and_works():
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(make_user(), secret)
    row = Authenticator.objects.get()
    code = totp.format_hotp_value(totp.hotp_value(secret, next(totp.yield_hotp_counters_from_time())))
    assert secret not in json.dumps(row.data)
    assert get_mfa_adapter().decrypt(row.data["secret"]) == secret
    assert row.wrap().validate_code(code)


@pytest.mark.django_db
def test_mails_say_who_sends_them_and_ask_nobody_to_sign_up(mailoutbox):
    make_user(username="rosa", email="rosa@example.org")
    for address in ("rosa@example.org", "nobody@example.org"):
        assert Client().post("/account/password/reset/", {"email": address}).status_code == 302
    known, unknown = mailoutbox
    assert [known.subject, unknown.subject] == ["Cardinal: A new password", "Cardinal: No account with this address"]
    assert "/account/password/reset/key/" in known.body
    assert "nobody@example.org" in unknown.body
    for mail in (known, unknown):
        assert "sign up" not in mail.body
        assert "Hello from" not in mail.body
