"""Fifty people of known utilities work through a campaign, from its starting point to the log, by the real use cases.

A world says what each response is worth to somebody; the same world also gives a long log straight to `ranking`, from
which the truth of everything is taken that a board estimates.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.utils import timezone

from accounts.use_cases.create_person import person_of_user
from annotation.enums import CampaignState
from annotation.models import Board, Campaign, Contestant, LeaderboardSnapshot, Respondent
from annotation.policies.templates import starting_points
from annotation.questions import simulate_answers
from annotation.simulation.people import situation_of
from annotation.use_cases.agree_to_texts import give_consent, read_guidelines
from annotation.use_cases.invite_people import invite_people
from annotation.use_cases.join_campaign import join_by_invitation
from annotation.use_cases.launch_campaign import launch_campaign
from annotation.use_cases.next_assignment import NoWork, next_assignment
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.start_campaign import start_campaign
from annotation.use_cases.submit_work import submit_work
from ranking import Comparisons
from tests.annotation.items.uploads import imported
from tests.annotation.numbering import number_log
from tests.annotation.worth.bidding import made_ready
from tests.factories import make_user, new_key

NAMES = ("Ash", "Birch", "Cedar", "Elm")
PEOPLE = 50
# Below this difference the question for a preference is answered with "no difference" (annotation/questions).
TIE = 0.2


@dataclass(frozen=True)
class World:
    """What the responses of the contestants are worth: a part by prompt of two kinds, tastes, scales of people."""

    usual: tuple[float, ...]  # worth on most prompts, by contestant
    rare: tuple[float, ...]  # on the others
    share_rare: float = 0.0
    prompts: float = 0.0  # sd of what a prompt adds to each contestant
    moods: float = 0.5  # sd of what one showing adds
    scales: float = 0.0  # sd of the logarithm of people's scales

    def of_prompts(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """(count, m)"""
        rare = rng.random(count) < self.share_rare
        level = np.where(rare[:, None], self.rare, self.usual)
        return level + self.prompts * rng.standard_normal(level.shape)

    def of_people(self, count: int, rng: np.random.Generator) -> np.ndarray:
        return np.exp(self.scales * rng.standard_normal(count))

    def long_log(self, answers: int, *, seed: int, people: int = 2000) -> Comparisons:
        """Every answer about a prompt of its own, pairs alike often."""
        rng = np.random.default_rng(seed)
        first, second = np.triu_indices(len(self.usual), 1)
        pair, person = np.arange(answers) % len(first), rng.integers(0, people, answers)
        a, b = first[pair], second[pair]
        worth, at = self.of_prompts(answers, rng), np.arange(answers)
        gain = worth[at, a] - worth[at, b] + np.sqrt(2) * self.moods * rng.standard_normal(answers)
        gain = gain * self.of_people(people, rng)[person]
        amount = np.where(np.abs(gain) < TIE, 0.0, gain)
        outcome = 0.5 + 0.5 * np.sign(amount)
        labels = {"annotator": person, "prompt": np.arange(answers)}
        return Comparisons(a=a, b=b, outcome=outcome, count=len(self.usual), amount=amount, **labels)


def open_campaign(starting_point: str, *, prompts: int, overlap: int, folder: Path) -> Campaign:
    """A campaign from its starting point, with every pair of contestants on equally many imported prompts."""
    begun = next(point for point in starting_points() if point.slug == starting_point)
    settings = {"purpose": "To find out.", "overlap": overlap, "responses_per_item": begun.responses}
    settings |= {"expected_seconds": 60, "contact": "Ada"}
    draft = begun.draft | {"consent": "Six minutes. You may stop at any time."}
    campaign = start_campaign(name=str(begun.name), draft=draft, settings=settings, actor=None, now=NOW())
    pairs = [(a, b) for a in range(len(NAMES)) for b in range(a + 1, len(NAMES))]
    lines = ["prompt,response_1,response_2,model_1,model_2"]
    for number in range(prompts):
        a, b = pairs[number % len(pairs)]
        lines.append(f"{number}: which?,{NAMES[a]} says {number}.,{NAMES[b]} says {number}.,{NAMES[a]},{NAMES[b]}")
    assert imported(campaign, folder, "\n".join(lines)).items == prompts
    return launch_campaign(campaign_id=campaign.pk, to=CampaignState.RUNNING, actor=None, now=NOW())


def join(campaign: Campaign, count: int = PEOPLE) -> list[Respondent]:
    """That many people who came by one invitation, agreed, read, and passed check and practice where there are any."""
    _invitation, token = invite_people(campaign_id=campaign.pk, name="All", actor=None, now=NOW())
    people = []
    for _ in range(count):
        respondent = join_by_invitation(token=token, person=person_of_user(user=make_user(), now=NOW()), now=NOW())
        give_consent(respondent_id=respondent.pk, consent_id=campaign.consent_id, now=NOW())
        read_guidelines(respondent_id=respondent.pk, guidelines_id=campaign.guidelines_id, now=NOW())
        people.append(made_ready(respondent, campaign))
    return people


def work(campaign: Campaign, people: list[Respondent], world: World, *, seed: int) -> int:
    """Everybody in turn, until nothing is left; how many answers were given."""
    rng = np.random.default_rng(seed)
    items = {pk: number for number, pk in enumerate(campaign.items.order_by("pk").values_list("pk", flat=True))}
    worth, scale = world.of_prompts(len(items), rng), world.of_people(len(people), rng)
    places = {pk: NAMES.index(name) for pk, name in Contestant.objects.values_list("pk", "name") if name in NAMES}
    given, waiting = 0, list(enumerate(people))
    while waiting:
        still = []
        for number, person in waiting:
            try:
                shown = next_assignment(campaign=campaign, respondent=person, now=NOW())
            except NoWork:
                continue
            item = shown.assignment.item
            who = list(item.responses.order_by("position").values_list("contestant", flat=True))
            own = [worth[items[item.pk], places[who[position]]] for position in shown.impression.order]
            felt = scale[number] * (np.array(own) + world.moods * rng.standard_normal(len(own)))
            asked, situation = situation_of(person, shown.impression, campaign.currency)
            submit_work(
                assignment_id=shown.assignment.pk,
                lease_token=shown.assignment.lease_token,
                key=new_key(),
                respondent=person,
                answers=simulate_answers(asked, rng=rng, utilities=felt.tolist(), situation=situation),
                now=NOW(),
            )
            given += 1
            still.append((number, person))
        waiting = still
    number_log()
    return given


def standings(campaign: Campaign) -> dict[str, dict]:
    """The campaign's own board, as its admins see it, by the contestants' names."""
    board = Board.objects.get(campaign=campaign)
    refresh_board(board_id=board.pk, now=NOW())
    latest = LeaderboardSnapshot.objects.filter(board=board).latest("number")
    return latest.standings | {"by_name": {entry["model"]: entry for entry in latest.standings["entries"]}}


NOW = timezone.now
