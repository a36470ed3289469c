"""Somebody who may set campaigns up, and a campaign in draft."""

import pytest
from django.test import Client

from accounts.enums import Role
from tests.annotation.campaigns.pages import start
from tests.factories import make_user


@pytest.fixture
def user():
    return make_user(role=Role.CAMPAIGN_ADMIN)


@pytest.fixture
def admin(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def campaign():
    return start()
