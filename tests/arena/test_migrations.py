"""What the migration to several arenas makes of a site that has one."""

import pytest
from django.db import connection

from annotation.models import Campaign, Item, Slot, SlotTally
from arena.models import Arena, Entry
from inference_workers.models import LanguageModel
from tests.annotation.test_migrations import gone_back_to
from tests.arena.factories import make_arena, make_models, votable

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

# As a site was before: slots that anybody could claim, without their pair, and one that was given back.
BEFORE = """
UPDATE annotation_slot SET for_one = false, pair_low = NULL, pair_high = NULL;
UPDATE annotation_slot SET state = 'open' WHERE item_id = %(left)s;
UPDATE arena_battle SET state = 'abandoned' WHERE item_id = %(left)s;
UPDATE annotation_campaign SET pool = 'annotators', overlap = 2, gold_share = 0.1;
UPDATE inference_workers_languagemodel SET visibility = 'hidden' WHERE id = %(hidden)s;
UPDATE inference_workers_languagemodel SET visibility = 'retired' WHERE id = %(retired)s
"""


def test_the_arena_that_is_there_goes_on_with_its_models_and_its_battles_are_one_visitors():
    make_models(2)
    make_arena()
    held, left = votable(), votable()
    make_models(2)
    first, second, hidden, retired = LanguageModel.objects.order_by("pk").values_list("pk", flat=True)
    met = sorted(held.item.responses.values_list("contestant", flat=True))
    with gone_back_to("0017_tally_done"), connection.cursor() as cursor:
        cursor.execute(BEFORE, {"left": left.item_id, "hidden": hidden, "retired": retired})
    campaign, arena = Campaign.objects.get(), Arena.objects.get()
    assert (campaign.is_arena, campaign.pool, campaign.overlap, campaign.gold_share) == (True, "invited", 1, 0)
    assert (arena.enters_all, arena.is_listed, arena.look, arena.lead) == (True, True, "plain", "")
    slots = Slot.objects.order_by("item").values_list("item", "for_one", "state", "pair_low", "pair_high")
    assert list(slots) == [(held.item_id, True, "claimed", *met), (left.item_id, True, "cancelled", *met)]
    assert [Item.objects.get(pk=each.item_id).state for each in (held, left)] == ["open", "void"]
    entries = Entry.objects.order_by("language_model").values_list("language_model", "state", "was_private")
    assert list(entries) == [(first, "active", False), (second, "active", False), (hidden, "active", True)]
    since = Entry.objects.get(language_model=first)
    assert since.entered_at == since.revisions.get().entered_at == held.created_at
    wanted, taken = zip(*SlotTally.objects.values_list("wanted", "taken"), strict=True)
    assert (sum(wanted), sum(taken)) == (0, 1)
