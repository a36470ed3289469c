"""Questions about the guidelines: asked under seal, answered for one or for all, and read as news."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.enums import Role
from accounts.use_cases.erase_person import erase_person
from annotation.models import Campaign, Event, GuidelineQuestion, GuidelinesVersion, Judgment, Respondent
from annotation.policies.answers import with_answers
from annotation.policies.drafts import GUIDELINES, section_content, section_version
from annotation.use_cases.agree_to_texts import read_guidelines
from annotation.use_cases.answer_question import answer_question
from annotation.use_cases.ask_question import MOST_OPEN, NotAsked, ask_question
from annotation.use_cases.publish_guidelines import publish_guidelines
from annotation.use_cases.save_campaign_draft import save_campaign_draft
from tests.annotation.work.test_pages import answer, joined, open_item
from tests.factories import PREFERENCE, make_campaign, make_item, make_user

pytestmark = pytest.mark.django_db

NOW = timezone.now
WORDS = "Does my neighbour Karl count as a reader?"
WORDING, ANSWER = "Who counts as a reader?", "Everybody who **asks**."
SAID = {"wording": WORDING, "answer": ANSWER}


def make_guided() -> Campaign:
    campaign = make_campaign(questions=[PREFERENCE])
    publish_guidelines(campaign_id=campaign.pk, text="Judge facts.", now=NOW())
    for number in range(3):
        make_item(campaign, slots=3, prompt=f"Number {number}")
    campaign.refresh_from_db()
    return campaign


def reader_of(campaign: Campaign) -> tuple[Client, Respondent]:
    """Somebody who joined and read the guidelines."""
    client = joined(campaign)
    person = Respondent.objects.latest("pk")
    return client, read_guidelines(respondent_id=person.pk, guidelines_id=campaign.guidelines_id, now=NOW())


def admin() -> Client:
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    return client


def asked(person: Respondent, words: str = WORDS) -> GuidelineQuestion:
    return ask_question(respondent_id=person.pk, words=words, now=NOW())


def answered(question: GuidelineQuestion, *, publish: bool = True, **values) -> GuidelineQuestion:
    return answer_question(question_id=question.pk, publish=publish, actor=None, now=NOW(), **(SAID | values))


def test_an_annotator_asks_from_an_item_and_goes_on_with_it():
    campaign = make_guided()
    client, _person = reader_of(campaign)
    _page, address = open_item(client, campaign)
    assignment = address.rsplit("/", 1)[1]
    url = f"/annotate/{campaign.slug}/questions"
    assert client.post(url, {"words": " "}).status_code == 422
    part = client.post(url, {"words": WORDS, "assignment": assignment}, headers={"HX-Request": "true"})
    assert part.content.decode().count("<html") == 0
    question = GuidelineQuestion.objects.get()
    assert question.item.assignments.get().pk == int(assignment)
    # Sealed: a copy of the database does not tell.
    assert b"Karl" not in bytes(question.personal_text.sealed)
    own = client.get(url).content.decode()
    assert (WORDS in own, "waits for an answer" in own) == (True, True)
    other, _person = reader_of(campaign)
    assert WORDS not in other.get(url).content.decode()
    # An item that somebody else holds is none of theirs to ask about.
    other.post(url, {"words": "And mine?", "assignment": assignment})
    assert GuidelineQuestion.objects.latest("pk").item is None


def test_a_published_answer_is_part_of_the_next_guidelines_and_stops_nobody():
    campaign = make_guided()
    client, person = reader_of(campaign)
    reading, _reader = reader_of(campaign)
    answer(reading, campaign)
    question = answered(asked(person))
    version = GuidelinesVersion.objects.get(number=2)
    assert version.text == with_answers("Judge facts.", [(WORDING, ANSWER)])
    assert version.text.startswith("Judge facts.\n\n# Questions and answers\n\n## Who counts as a reader?")
    assert (version.answers_only, question.published_in) == (True, version)
    page, _address = open_item(reading, campaign)
    assert "New in the guidelines" in page
    assert "<strong>asks</strong>" in page
    assert "Karl" not in page
    assert answer(reading, campaign).status_code == 302
    first, second = Judgment.objects.order_by("pk")
    assert [first.guidelines.number, second.guidelines.number] == [1, 2]
    read = reading.post(f"/annotate/{campaign.slug}/agree/guidelines", {"text": version.pk, "back": "item"})
    assert read["Location"] == f"/annotate/{campaign.slug}/item"
    assert "New in the guidelines" not in open_item(reading, campaign)[0]
    assert "in guidelines 2" in client.get(f"/annotate/{campaign.slug}/questions").content.decode()


def test_the_editor_keeps_its_own_text_apart_from_the_answers():
    campaign = make_guided()
    _client, person = reader_of(campaign)
    question = answered(asked(person))
    campaign.refresh_from_db()
    assert section_content(campaign, GUIDELINES) == "Judge facts."
    save_campaign_draft(
        campaign_id=campaign.pk,
        section=GUIDELINES,
        content="Judge manners.",
        version=section_version(campaign, GUIDELINES),
        actor=None,
        now=NOW(),
    )
    answered(question, answer="Nobody.")
    texts = list(GuidelinesVersion.objects.order_by("number").values_list("text", "answers_only"))[2:]
    assert texts == [
        (with_answers("Judge manners.", [(WORDING, ANSWER)]), False),
        (with_answers("Judge manners.", [(WORDING, "Nobody.")]), True),
    ]


def test_an_answer_for_the_asker_alone_makes_no_version():
    campaign = make_guided()
    client, person = reader_of(campaign)
    answered(asked(person), publish=False, wording="")
    assert GuidelinesVersion.objects.count() == 1
    own = client.get(f"/annotate/{campaign.slug}/questions").content.decode()
    assert "<strong>asks</strong>" in own
    assert "answered for you" in own


def test_who_is_erased_leaves_the_wording_and_takes_their_words():
    campaign = make_guided()
    _client, person = reader_of(campaign)
    answered(asked(person))
    erase_person(person_id=person.person_id, now=NOW())
    page = admin().get(f"/campaigns/{campaign.slug}/asked").content.decode()
    assert "Karl" not in page
    assert "Who asked was erased" in page
    assert WORDING in page
    assert WORDING in GuidelinesVersion.objects.get(number=2).text


def test_admins_see_what_waits_and_answer_it():
    campaign = make_guided()
    _client, person = reader_of(campaign)
    question = asked(person)
    boss, url = admin(), f"/campaigns/{campaign.slug}/asked"
    assert re.search(r"tabs__count number\">1<", boss.get(f"/campaigns/{campaign.slug}").content.decode())
    assert WORDS in boss.get(url).content.decode()
    refused = boss.post(f"{url}/{question.pk}", {"answer": ANSWER, "publish": "on", "wording": ""})
    assert refused.status_code == 422
    assert ANSWER in refused.content.decode()
    saved = boss.post(f"{url}/{question.pk}", {"publish": "on", **SAID})
    assert saved["Location"] == url
    assert "tabs__count" not in boss.get(url).content.decode()
    assert Event.objects.filter(subject="annotation.guidelinequestion", verb="answered").count() == 1
    other = make_guided()
    assert boss.post(f"/campaigns/{other.slug}/asked/{question.pk}", SAID).status_code == 404


def test_the_list_takes_as_many_statements_for_one_as_for_many():
    campaign = make_guided()
    boss, url = admin(), f"/campaigns/{campaign.slug}/asked"
    counts = []
    for count in (1, 4):
        for _ in range(count):
            asked(reader_of(campaign)[1])
        with CaptureQueriesContext(connection) as said:
            boss.get(url)
        counts.append(len(said))
    assert counts[0] == counts[1] <= 10


def test_too_many_open_questions_of_one_person_are_refused():
    campaign = make_guided()
    client, person = reader_of(campaign)
    for number in range(MOST_OPEN):
        asked(person, f"Number {number}?")
    with pytest.raises(NotAsked):
        asked(person)
    assert client.post(f"/annotate/{campaign.slug}/questions", {"words": WORDS}).status_code == 422
