"""The editor of questions and its preview, without a browser."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.models import Campaign, Event, Judgment
from annotation.policies.drafts import section_content, section_version
from annotation.questions import all_types
from tests.annotation.campaigns.pages import ASKED, TEXTS, WHY, edit, errors, fields, opened, running, start
from tests.factories import make_item

pytestmark = pytest.mark.django_db


def press(admin, campaign, action, form) -> dict[str, list[str]]:
    response = admin.post(edit(campaign, "questions"), form | {"action": action}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    return fields(response.content.decode())


def test_buttons_put_the_list_in_order_keep_what_is_typed_and_write_nothing(admin, campaign):
    before = Campaign.objects.values().get()
    form = opened(admin, campaign, "questions") | {"q1-title": "Half a senten"}
    form = press(admin, campaign, "add:thumbs", form)
    assert (form["order"], form["q3-type"], form["q1-title"]) == (["1", "2", "3"], ["thumbs"], ["Half a senten"])
    form = press(admin, campaign, "up:3", form)
    form = press(admin, campaign, "remove:2", form)
    assert form["order"] == ["1", "3"]
    assert press(admin, campaign, "up:1", form)["order"] == ["1", "3"]
    assert press(admin, campaign, "add:no-such-type", form)["order"] == ["1", "3"]
    assert Campaign.objects.values().get() == before


@pytest.mark.parametrize("slug", sorted(all_types()))
def test_any_question_type_is_added_with_its_own_settings_and_saved_as_the_type_stores_them(admin, slug):
    kind = all_types()[slug]
    before = [{"name": "first", "type": "preference"}] if kind.needs else []
    campaign = start(draft={"questions": before}, responses_per_item=kind.responses or 2)
    form = press(admin, campaign, f"add:{slug}", opened(admin, campaign, "questions"))
    uid = form["order"][-1]
    assert {f"q{uid}-set-{name}" for name in kind.settings} <= set(form)
    response = admin.post(edit(campaign, "questions"), form)
    assert response.status_code == 302, errors(response)
    added = section_content(Campaign.objects.get(), "questions")[-1]
    assert (added["name"], added["settings"]) == (slug, kind.check_settings({}))
    assert admin.get(edit(campaign, "questions")).status_code == 200


def test_a_question_that_needs_another_says_so_at_its_place(admin):
    campaign = start(draft={"questions": []})
    form = press(admin, campaign, "add:amount", opened(admin, campaign, "questions"))
    response = admin.post(edit(campaign, "questions"), form)
    says = ["It depends on another answer: add a question of the type Preference above it."]
    assert (response.status_code, errors(response)) == (422, says)


def test_everything_that_was_refused_is_listed_at_the_top_by_question_with_its_mend(admin):
    types = ("amount", "preference", "spans", "rating", "preference", "rationale", "labels")
    asked = [{"name": f"{kind}-{number}", "type": kind} for number, kind in enumerate(types, start=1)]
    campaign = start(draft={"questions": asked})
    form = opened(admin, campaign, "questions")
    form |= {"q6-set-min_length": ["-4"], "q6-name": ["no spaces"], "q7-set-least": ["9"], "q7-set-most": ["2"]}
    response = admin.post(edit(campaign, "questions"), form)
    page = response.content.decode()
    listed = re.search(r'<ul class="faults__list">(.*?)</ul>', page, re.DOTALL)[1]
    found = re.findall(r'<li><a href="#([^"]*)">(.*?)</a>: (.*?)</li>', listed, re.DOTALL)
    assert (response.status_code, found) == (
        422,
        [
            ("edit-1", "Question 1 (Amount)", "Move it below question 2 (Preference), on whose answer it depends."),
            (
                "edit-4",
                "Question 4 (Rating)",
                "Set “Counts for boards” to “No” here or in question 3 (Marked pieces): only one question gives boards"
                " their numbers.",
            ),
            (
                "edit-5",
                "Question 5 (Preference)",
                "Remove one of the two: question 2 (Preference) asks for the same already.",
            ),
            ("id_q6-name", "Question 6 (Rationale), Name in exports", "Enter a valid value."),
            (
                "id_q6-set-min_length",
                "Question 6 (Rationale), Fewest characters",
                "Expected is a whole number from 0 to 1000.",
            ),
            ("id_q7-set-least", "Question 7 (Labels), Fewest choices", "At most 2, which is all that can be chosen."),
        ],
    )
    assert all(f'id="{anchor}"' in page for anchor, _question, _text in found)
    assert re.findall(r"<(\w+)[^>]* autofocus", page) == ["fieldset"]
    assert 'id="edit-1" tabindex="-1" autofocus' in page


def test_the_page_asks_as_little_of_the_database_for_many_questions_as_for_one(admin):
    counts = []
    for number in (1, 12):
        campaign = running(draft={"questions": [WHY | {"name": f"why-{n}"} for n in range(number)], **TEXTS})
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(edit(campaign, "questions")).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


NASTY = ("a\x00b", "9" * 5000, "NaN", "²", "x" * 120_000, "\u202eabc")


def test_no_field_of_a_question_fails_whatever_it_is_sent(admin, campaign):
    """Each value in every field at once where the questions are known, and in each field that says which they are."""
    form, framed = conditional(admin, campaign), ("order", "q1-type", "q2-type", "version", "action")
    typed = [name for name in form if name not in framed]
    addresses = (edit(campaign, "questions"), reverse("campaign-preview-questions", args=[campaign.slug]))
    for value in NASTY:
        for change in (dict.fromkeys(typed, value), *({name: value, "q1-name": "no name"} for name in framed)):
            for address in addresses:
                assert admin.post(address, form | change).status_code in {200, 422}, (list(change), value[:20])


def conditional(admin, campaign) -> dict[str, list[str]]:
    form = opened(admin, campaign, "questions") | {"q2-after": ["1"]}
    return press(admin, campaign, "refresh:2", form)


def test_a_condition_hangs_on_an_earlier_question_by_its_answers_and_survives_a_new_name(admin, campaign):
    form = conditional(admin, campaign)
    assert form["q2-after"] == ["1"]
    form |= {"q2-after_values": ["a", "b"], "q1-name": ["better"]}
    assert admin.post(edit(campaign, "questions"), form).status_code == 302
    first, second = section_content(Campaign.objects.get(), "questions")
    assert (first["name"], second["condition"]) == ("better", {"question": "better", "values": ["a", "b"]})
    assert opened(admin, campaign, "questions")["q2-after_values"] == ["a", "b"]


QUESTION_FAULTS = [
    ({"q1-name": ["no spaces"]}, "q1-name", "Enter a valid value."),
    ({"q1-name": ["why"]}, "q2-name", "Another question has this name."),
    ({"q1-name": ["key"]}, "q1-name", "This name is taken. Give the question another."),
    ({"q1-title": ["x" * 301]}, "q1-title", "Ensure this value has at most 300 characters (it has 301)."),
    ({"q1-share": ["0"]}, "q1-share", "From 0.1 to 100 percent."),
    ({"q1-set-strength": ["most"]}, "q1-set-strength", "Expected is optional or required or off."),
    ({"q2-set-min_length": ["many"]}, "q2-set-min_length", "Expected is a whole number from 0 to 1000."),
    ({"q2-set-min_length": ["9" * 5000]}, "q2-set-min_length", "Expected is a whole number from 0 to 1000."),
    ({"q2-after": ["1"]}, "q2-after_values", "Choose at least one answer."),
    ({"q2-after": ["7"]}, "q2-after", "Select a valid choice. 7 is not one of the available choices."),
    (
        {"order": ["2", "1"], "q2-after": ["1"], "q2-after_values": ["a"]},
        "q2-after",
        "“2. Which answer would you rather have received?” must come before this question.",
    ),
    (
        {"q1-type": ["no-such-type"]},
        None,
        "A question came in a form that nobody can have drawn here. Load the page again.",
    ),
]


def test_a_question_that_cannot_be_asked_is_refused_at_its_field(admin, campaign):
    form, found = opened(admin, campaign, "questions"), []
    for change, name, _says in QUESTION_FAULTS:
        response = admin.post(edit(campaign, "questions"), form | change)
        assert response.status_code == 422
        page = response.content.decode()
        marked = re.search(rf'name="{name}"[^>]*aria-invalid="true"|id="id_{name}_error"', page)
        found.append((change, name if marked else None, *errors(response)))
    assert found == QUESTION_FAULTS
    assert section_content(Campaign.objects.get(), "questions") == ASKED


def test_questions_of_a_running_campaign_are_shown_and_not_taken(admin):
    campaign = running()
    page = admin.get(edit(campaign, "questions")).content.decode()
    assert "Copy the campaign" in page
    assert '<fieldset class="questions__all" disabled>' in page
    response = admin.post(edit(campaign, "questions"), {"version": section_version(campaign, "questions")})
    assert (response.status_code, errors(response)) == (
        422,
        ["The questions are frozen. Copy the campaign to ask others."],
    )
    assert Campaign.objects.get().instrument.number == 1


def tried(admin, campaign, **answers):
    form = {"questions": json.dumps(section_content(campaign, "questions")), **answers}
    return admin.post(reverse("campaign-preview", args=[campaign.slug]), form)


def test_a_try_shows_what_would_be_stored_and_writes_nothing(admin, campaign):
    before = (Event.objects.count(), Judgment.objects.count())
    page = tried(admin, campaign, preference="a", **{"preference.strength": "2", "why": "Right."}).content.decode()
    assert "This would be stored" in page
    assert "&quot;strength&quot;: 2" in page
    assert "Right." in page
    refused = tried(admin, campaign)
    assert refused.status_code == 422
    assert "This would be stored" not in refused.content.decode()
    assert (Event.objects.count(), Judgment.objects.count()) == before


def test_the_preview_shows_a_real_item_where_there_is_one_and_never_who_wrote_it(admin, campaign):
    address = reverse("campaign-preview", args=[campaign.slug])
    assert "this one is made up" in admin.get(address).content.decode()
    item = make_item(campaign, prompt="Is it real?", texts=["Yes, it is.", "Quite."])
    page = admin.get(address).content.decode()
    assert ("this one is made up" in page, "Is it real?" in page, "Yes, it is." in page) == (False, True, True)
    assert not any(response.contestant.name in page for response in item.responses.all())


def test_the_preview_draws_what_is_typed_and_says_what_it_cannot_draw(admin):
    campaign = start(responses_per_item=4)
    form = opened(admin, campaign, "questions") | {"q2-title": ["Said so far"]}
    address = reverse("campaign-preview-questions", args=[campaign.slug])
    page = admin.post(address, form).content.decode()
    assert "Said so far" in page
    assert "cannot be asked about 4 responses" in page
    for nonsense in ("[", "{}", '[{"name": 1}]', "[" * 1000, '[{"name": "x", "type": "x", "condition": 4}]'):
        response = admin.post(reverse("campaign-preview", args=[campaign.slug]), {"questions": nonsense})
        assert response.status_code in {200, 422}
