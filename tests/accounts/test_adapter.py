"""Accounts are by invitation."""

import pytest
from allauth.account.adapter import get_adapter
from django.test import Client, RequestFactory

from accounts.adapter import InviteOnlyAdapter
from accounts.models import User


def test_the_adapter_in_use_lets_nobody_sign_themselves_up():
    adapter = get_adapter()
    assert type(adapter) is InviteOnlyAdapter
    assert adapter.is_open_for_signup(RequestFactory().get("/account/signup/")) is False


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/account/signup/", "/account/signup/?next=/admin/"])
def test_signing_up_makes_no_account(address):
    password = "a-long-secret-7613"
    form = {"email": "eve@example.org", "username": "eve", "password1": password, "password2": password}
    response = Client().post(address, form)
    assert (response.status_code, User.objects.count()) == (200, 0)


@pytest.mark.django_db
def test_addresses_of_people_and_names_are_unique():
    from django.db import IntegrityError

    from tests.factories import make_user

    make_user(email="rosa@example.org")
    with pytest.raises(IntegrityError):
        make_user(email="rosa@example.org")
