"""The pages of language models and endpoints in a real browser, at a desk and on a phone."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from foundation.outbound import bind_secret
from inference_workers.enums import Backend, BreakerState
from inference_workers.models import EndpointGauge
from tests.browser import DESK, PHONE, look
from tests.factories import make_user
from tests.inference_workers.factories import make_endpoint, make_revision
from tests.inference_workers.pumping import run_pump
from tests.inference_workers.test_language_models import ADDRESS, CARD, KEY, edit
from tests.inference_workers.test_models_pages import ended

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def signed_in():
    return make_user(role="operator", username="ops")


@pytest.fixture
def revision():
    """One that answers without trouble; beside it one whose endpoint is left alone, and a retired one."""
    sound = make_endpoint(name="This machine", capacity=4)
    far = make_endpoint(
        name="A vendor’s endpoint",
        backend=Backend.OPENAI,
        base_url=ADDRESS,
        sealed_key=bind_secret(KEY, url=ADDRESS),
        requests_per_minute=600,
        tokens_per_minute=200_000,
        daily_budget=Decimal(25),
    )
    until = timezone.now() + timedelta(minutes=2)
    EndpointGauge.objects.filter(pk=far.pk).update(
        state=BreakerState.OPEN,
        openings=3,
        opened_until=until,
        opened_for="endpoint_key_refused",
        probed_at=timezone.now(),
        probe_code="endpoint_key_refused",
    )
    prices = {"price_read": "0.15", "price_written": "0.6"}
    own = make_revision(endpoint=sound, model={"name": "نموذج صغير", "organisation": "Org", "licence": "Apache-2.0"})
    vendors = {"name": "Large and far", "organisation": "Vendor", "licence": "Proprietary", "visibility": "hidden"}
    broken = make_revision(endpoint=far, model=vendors | prices)
    make_revision(endpoint=sound, model={"name": "Long gone", "visibility": "retired"})
    films = {"price_file": "0.0425", "price_second": "0.1", "longest_seconds": 12}
    make_revision(endpoint=sound, model={"name": "Maker of films"} | films, output="video")
    for number in range(12):
        ago = timedelta(hours=number % 7)
        ended(own, code="identity_leak" if number == 3 else "", first=0.1 + number / 20, total=2 + number / 2, ago=ago)
        ended(broken, code="endpoint_status" if number > 5 else "", cost=Decimal("0.0042"))
    return own


def test_models_are_listed_tested_edited_and_compared(open_page, revision, empty_redis):
    page = open_page("/models", DESK)
    expect(page.get_by_text("Left alone").first).to_be_visible()
    look(page, "models")
    page.get_by_role("link", name="نموذج صغير").click()
    page.get_by_role("button", name="Test now").click()
    expect(page.get_by_text("Asked; the answer appears here.")).to_be_visible()
    run_pump()
    expect(page.get_by_text("An answer.")).to_be_visible()
    page.get_by_role("link", name="Edit", exact=True).click()
    look(page, "model-edit")
    page.get_by_label("Temperature").fill("0.2")
    page.get_by_label("System prompt").fill("Be brief, and say what you do not know.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_text("Made revision 2")).to_be_visible()
    look(page, "model")
    page.emulate_media(color_scheme="dark")
    page.get_by_text("The numbers").click()
    look(page, "model-dark")


def test_an_endpoints_limits_are_set_on_a_phone(open_page, revision):
    page = open_page("/models", PHONE)
    look(page, "models-phone")
    page.get_by_role("link", name="A vendor’s endpoint").first.click()
    page.get_by_label("Sent along").fill('{"model": "another"}')
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Sent along")).to_have_attribute("aria-invalid", "true")
    look(page, "endpoint-phone")
    page.get_by_label("Sent along").fill("{}")
    page.get_by_label("Requests a minute").fill("30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert KEY not in page.content()
    for _ in range(2):
        edit(revision.language_model, CARD, max_tokens=300 + _)
    page.goto(page.url + f"/{revision.language_model_id}")
    look(page, "model-phone")
