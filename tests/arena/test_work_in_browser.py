"""Under a flood the browser finds the number and begins the battle; the visitor does nothing."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.arena.factories import make_arena, make_models
from tests.arena.test_work import start
from tests.factories import make_person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_browser_works_and_the_battle_begins_by_itself(open_page, capsys):
    arena = make_arena(flood_per_minute=1, work_bits=18)
    make_models()
    start(arena, make_person())
    page = open_page("/")
    page.fill("#prompt", "Why is the sky blue?")
    page.click("main button[type=submit]")
    expect(page.get_by_text("More battles begin here than usual")).to_be_visible()
    begun = timezone.now()
    page.wait_for_url(re.compile("/battles/[0-9a-f-]{36}$"), timeout=120_000)
    expect(page.get_by_text("Why is the sky blue?")).to_be_visible()
    with capsys.disabled():
        print(f"\n18 bits: {(timezone.now() - begun).total_seconds():.1f} s")
