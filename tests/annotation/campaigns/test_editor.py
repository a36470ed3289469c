"""The pages of campaign admins, without a browser: what they take, what they refuse and name, what stays as it was."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from accounts.use_cases.create_person import person_of_user
from annotation.models import Campaign, Event
from annotation.policies.drafts import section_content, section_version
from tests.annotation.campaigns.pages import TEXTS, edit, errors, fields, opened, running, start
from tests.factories import make_campaign, make_item

pytestmark = pytest.mark.django_db


def test_the_list_shows_states_and_progress_in_as_many_queries_for_one_campaign_as_for_many(admin, campaign):
    make_item(campaign, slots=3)
    counts = []
    for _round in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = admin.get(reverse("campaigns")).content.decode()
        counts.append(len(queries))
        for _more in range(4):
            make_item(start(), slots=2)
            running()
    assert "0 of 3" in page
    assert counts[0] == counts[1] <= 8


def test_shadows_and_templates_are_not_in_the_list_of_campaigns(admin, campaign):
    shadow, template = start(is_template=False), start()
    Campaign.objects.filter(pk=shadow.pk).update(shadow_of=campaign, name="Shadow")
    Campaign.objects.filter(pk=template.pk).update(is_template=True, name="Pattern")
    page = admin.get(reverse("campaigns")).content.decode()
    table, rest = page.split("</table>")
    assert ("Trial" in table, "Pattern" in table, "Pattern" in rest, "Shadow" in page) == (True, False, True, False)
    assert admin.get(reverse("campaign", args=[shadow.slug])).status_code == 404


def test_a_campaign_starts_from_a_point_or_a_template_under_whoever_started_it(admin, user, campaign):
    template = start(standard="As a nurse.")
    Campaign.objects.filter(pk=template.pk).update(is_template=True)
    page = admin.get(reverse("campaign-new")).content.decode()
    assert "point-pairwise" in page
    for begin in ("point-pairwise", f"template-{template.pk}"):
        response = admin.post(reverse("campaign-new"), {"name": "Mine", "start": begin})
        assert response.status_code == 302
        made = Campaign.objects.get(slug=response.url.rsplit("/", 1)[1])
        assert (made.name, made.is_template) == ("Mine", False)
        assert len(section_content(made, "questions")) == (3 if begin == "point-pairwise" else 2)
    assert made.standard == "As a nurse."
    actors = Event.objects.filter(subject_id=str(made.pk)).values_list("actor", flat=True)
    assert set(actors) == {person_of_user(user=user, now=timezone.now()).pk}


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"start": "point-blank"}, "This field is required."),
        ({"name": "x" * 121, "start": "point-blank"}, "Ensure this value has at most 120 characters (it has 121)."),
        ({"name": "Mine"}, "Choose what to begin with."),
        (
            {"name": "Mine", "start": "point-other"},
            "Select a valid choice. point-other is not one of the available choices.",
        ),
    ],
)
def test_a_campaign_without_name_or_beginning_is_not_started(admin, sent, says):
    response = admin.post(reverse("campaign-new"), sent)
    assert (response.status_code, errors(response), Campaign.objects.count()) == (422, [says], 0)


@pytest.mark.parametrize("section", ["about", "consent", "guidelines", "questions", "design", "pay"])
def test_what_a_page_shows_can_be_saved_as_it_is_and_changes_nothing(admin, campaign, section):
    before, events = Campaign.objects.values().get(), Event.objects.count()
    response = admin.post(edit(campaign, section), opened(admin, campaign, section))
    assert (response.status_code, response.headers.get("Location")) == (302, edit(campaign, section)), errors(response)
    after = Campaign.objects.get()
    assert (
        section_content(after, "guidelines"),
        [question["name"] for question in section_content(after, "questions")],
    ) == ("Read *both*.", ["preference", "why"])
    if section != "questions":
        assert (Campaign.objects.values().get(), Event.objects.count()) == (before, events)


BAD = [
    ("about", "name", "", "This field is required."),
    ("about", "purpose", "x" * 2001, "Ensure this value has at most 2000 characters (it has 2001)."),
    ("design", "responses_per_item", "0", "Ensure this value is greater than or equal to 1."),
    ("design", "responses_per_item", "10", "Ensure this value is less than or equal to 9."),
    ("design", "overlap", "NaN", "Enter a whole number."),
    ("design", "overlap", "9" * 5000, "Enter a whole number."),
    ("design", "overlap_limit", "1", "At least the judgments per item, 3."),
    ("design", "gold_share", "51", "From 0 to 50 percent."),
    ("design", "repeat_share", "-1", "From 0 to 50 percent."),
    ("design", "attention_share", "51", "From 0 to 50 percent."),
    ("design", "order_design", "best", "Select a valid choice. best is not one of the available choices."),
    ("design", "share_per_annotator", "101", "From 0.1 to 100 percent."),
    ("design", "pass_mark", "infinity", "Enter a number."),
    ("design", "quota_per_annotator", "0", "At least 1."),
    ("design", "group_quotas", "nurses 5", "“nurses 5” is not a group of its own, a colon and a whole number."),
    ("design", "group_quotas", "a: 1\na: 2", "“a: 2” is not a group of its own, a colon and a whole number."),
    ("design", "lease_seconds", "5", "Ensure this value is greater than or equal to 60."),
    ("design", "policy", "best", "Select a valid choice. best is not one of the available choices."),
    ("design", "deadline", "tomorrow", "Enter a valid date/time."),
    ("design", "currency", "$", "Letters only, such as USD."),
    ("design", "budget_money", "1e3", "Write the amount in digits, such as 12.50."),
    ("design", "budget_money", "9" * 13, "Ensure that there are no more than 12 digits in total."),
    ("pay", "pay_per_judgment", "-1", "Not below 0."),
    ("pay", "pay_per_judgment", "1e3", "Write the amount in digits, such as 12.50."),
    ("pay", "pay_currency", "€", "Letters only, such as USD."),
    ("pay", "pay_per_judgment", "0.12345", "Ensure that there are no more than 4 decimal places."),
    ("pay", "expected_seconds", "0", "At least 1."),
    ("guidelines", "text", "x" * 50_001, "Ensure this value has at most 50000 characters (it has 50001)."),
]


@pytest.mark.parametrize("section", ["about", "design", "pay", "guidelines"])
def test_bad_input_is_named_at_its_field_and_nothing_is_saved(admin, section):
    campaign = start(overlap=3)
    form = opened(admin, campaign, section)
    bad = [(name, value, says) for where, name, value, says in BAD if where == section]
    found = []
    for name, value, _says in bad:
        response = admin.post(edit(campaign, section), form | {name: value})
        assert response.status_code == 422
        marks = rf'<(input|textarea|select)[^>]*name="{name}"[^>]*aria-invalid="true"'
        found.append((name, value, *errors(response)) if re.search(marks, response.content.decode()) else ())
    assert found == bad
    assert section_version(Campaign.objects.get(), section) == section_version(campaign, section)


def test_shares_and_quotas_are_typed_in_percent_and_in_lines(admin, campaign):
    typed = {"gold_share": "12.5", "share_per_annotator": "20", "group_quotas": "Nurses: 200\nnight shift: 5"}
    assert admin.post(edit(campaign, "design"), opened(admin, campaign, "design") | typed).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.gold_share, campaign.share_per_annotator) == (0.125, 0.2)
    assert campaign.group_quotas == {"nurses": 200, "night shift": 5}
    shown = opened(admin, campaign, "design")
    assert {name: shown[name] for name in ("gold_share", "share_per_annotator")} == {
        "gold_share": ["12.5"],
        "share_per_annotator": ["20"],
    }


def test_checks_and_repeats_together_leave_work_to_do(admin, campaign):
    shares = {"gold_share": "50", "attention_share": "20", "repeat_share": "20.5"}
    form = opened(admin, campaign, "design")
    refused = admin.post(edit(campaign, "design"), form | shares)
    assert (refused.status_code, errors(refused)) == (
        422,
        ["Gold items, attention checks and repeated items come to at most 90 percent together."],
    )
    assert admin.post(edit(campaign, "design"), form | shares | {"repeat_share": "20"}).status_code == 302


@pytest.mark.parametrize(
    ("section", "name"), [("about", "purpose"), ("guidelines", "text"), ("consent", "text"), ("questions", "q1-title")]
)
def test_the_second_of_two_admins_is_refused_and_both_texts_are_there(admin, campaign, section, name):
    mine, theirs = opened(admin, campaign, section), opened(admin, campaign, section)
    assert admin.post(edit(campaign, section), theirs | {name: "What they wrote"}).status_code == 302
    refused = admin.post(edit(campaign, section), mine | {name: "What I wrote"})
    page = refused.content.decode()
    assert (refused.status_code, page.count("What I wrote") >= 1, page.count("What they wrote")) == (409, True, 1)
    assert "What they wrote" in json.dumps(section_content(Campaign.objects.get(), section))
    # The page now knows theirs, so sending it again is meant.
    again = fields(page)
    assert again[name] == ["What I wrote"]
    assert admin.post(edit(campaign, section), again).status_code == 302
    assert "What I wrote" in json.dumps(section_content(Campaign.objects.get(), section))


def test_control_two_sections_at_once_do_not_meet(admin, campaign):
    mine = opened(admin, campaign, "about")
    assert admin.post(edit(campaign, "pay"), opened(admin, campaign, "pay") | {"pay_floor": "9"}).status_code == 302
    assert admin.post(edit(campaign, "about"), mine | {"purpose": "Mine."}).status_code == 302


@pytest.mark.parametrize("section", ["about", "guidelines", "questions"])
def test_a_form_without_its_version_is_refused(admin, campaign, section):
    response = admin.post(edit(campaign, section), opened(admin, campaign, section) | {"version": ""})
    assert (response.status_code, errors(response)) == (
        422,
        ["This form does not say what it was opened on. Load the page again."],
    )


def test_new_guidelines_of_a_running_campaign_say_that_people_must_read_them_anew(admin):
    campaign = running()
    assert "everybody must read it anew" in admin.get(edit(campaign, "guidelines")).content.decode()
    form = opened(admin, campaign, "guidelines") | {"text": "Read both twice."}
    page = admin.post(edit(campaign, "guidelines"), form, follow=True).content.decode()
    assert "Everybody must read the guidelines anew" in page
    assert Campaign.objects.get().guidelines.number == 2


def test_guidelines_are_rendered_by_the_house_and_nothing_of_theirs_acts(admin, campaign):
    text = "**Read** <script>alert(1)</script> <b hx-post='/x'>"
    page = admin.post(reverse("campaign-preview-text", args=[campaign.slug]), {"text": text}).content.decode()
    assert "<strong>Read</strong>" in page
    assert "<script" not in page
    assert "<b hx" not in page


def state(admin, campaign, to, reason=""):
    return admin.post(reverse("campaign-state", args=[campaign.slug]), {"to": to, "reason": reason})


def test_a_campaign_is_launched_paused_resumed_and_closed_with_a_reason(admin, user, campaign):
    refused = state(admin, campaign, "running")
    assert (refused.status_code, errors(refused)) == (422, ["Not launched: something is missing, as listed below."])
    assert "Add the items that are to be judged." in refused.content.decode()
    make_item(campaign)
    for to in ("pilot", "running", "paused", "running"):
        assert state(admin, campaign, to).status_code == 302
        assert Campaign.objects.get().state == to
    asked = admin.get(f"/campaigns/{campaign.slug}").content.decode().partition("Close the campaign")[2]
    assert "(optional)" not in asked.partition("</details>")[0]
    without = state(admin, campaign, "closed")
    assert (without.status_code, errors(without)) == (
        422,
        ["Say why the campaign is closed: it cannot be opened again."],
    )
    assert state(admin, campaign, "closed", "All is said.").status_code == 302
    last = Event.objects.filter(subject="annotation.campaign").latest("pk")
    assert (last.to_state, last.reason, last.actor) == (
        *("closed", "All is said."),
        person_of_user(user=user, now=timezone.now()),
    )
    page = admin.get(reverse("campaign", args=[campaign.slug])).content.decode()
    assert Campaign.objects.get().instrument.digest in page
    assert state(admin, campaign, "running").status_code == 422
    assert state(admin, campaign, "nowhere").status_code == 422


def test_pay_below_the_floor_is_refused_with_its_figure_on_the_page(admin):
    campaign = start(pay_per_judgment="0.1", expected_seconds=60, pay_floor="12")
    make_item(campaign)
    page = state(admin, campaign, "running").content.decode()
    assert "The pay comes to 6.00 USD an hour, below the least of 12.00 USD." in page
    assert "6.00 USD" in admin.get(edit(campaign, "pay")).content.decode()


def test_copy_template_and_discard_are_pages_with_a_form(admin, campaign):
    for verb, name in (("campaign-copy", "Copy of Trial"), ("campaign-make-template", "Trial")):
        address = reverse(verb, args=[campaign.slug])
        assert f'value="{name}"' in admin.get(address).content.decode()
        assert admin.post(address, {"name": ""}).status_code == 422
        made = Campaign.objects.get(slug=admin.post(address, {"name": "Made"}).url.rsplit("/", 1)[1])
        assert (made.name, made.is_template) == ("Made", verb == "campaign-make-template")
    address = reverse("campaign-discard", args=[campaign.slug])
    assert admin.get(address).status_code == 200
    assert admin.post(address).status_code == 302
    assert not Campaign.objects.filter(pk=campaign.pk).exists()
    held = running()
    assert admin.post(reverse("campaign-discard", args=[held.slug])).status_code == 422
    assert Campaign.objects.filter(pk=held.pk).exists()


def test_a_campaign_that_the_editor_never_saw_can_be_opened_on_every_page(admin):
    campaign = make_campaign()
    for section in ("about", "consent", "guidelines", "questions", "design", "pay"):
        assert admin.get(edit(campaign, section)).status_code == 200
    assert admin.get(reverse("campaign-preview", args=[campaign.slug])).status_code == 200
    assert admin.get(edit(campaign, "nonsense")).status_code == 404


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("about", "Purpose (before a launch)"),
        ("consent", "Whom people write to (before a launch whose text names it)"),
        ("guidelines", "Guidelines, in Markdown (before a launch)"),
        ("pay", "Expected seconds per item (before a launch that pays)"),
        ("pay", "Pay per judgment (optional)"),
    ],
)
def test_what_a_launch_asks_for_is_not_called_optional(admin, campaign, section, words):
    page = admin.get(f"/campaigns/{campaign.slug}/edit/{section}").content.decode()
    assert words in " ".join(strip_tags(page).split())


@pytest.mark.parametrize(
    ("section", "warning"), [("guidelines", "People judge by these."), ("consent", "People have agreed to this.")]
)
def test_the_preview_of_a_text_that_people_have_read_shows_the_text_and_not_its_notice(admin, section, warning):
    campaign = running()
    page = admin.get(edit(campaign, section)).content.decode()
    preview = page.partition('id="read"')[2].partition("</section>")[0]
    assert warning in page.partition('id="read"')[0]
    words = TEXTS[section].replace("*", "")
    assert (warning in preview, words in strip_tags(preview)) == (False, True)
