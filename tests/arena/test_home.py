import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_an_installation_without_an_arena_says_so(client):
    page = client.get(reverse("home"))
    assert page.status_code == 200
    assert "No arena yet" in page.content.decode()
    assert client.post(reverse("start-battle"), {"prompt": "Hello", "key": "k1"}).status_code == 200
