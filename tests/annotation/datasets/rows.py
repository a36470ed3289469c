"""Judged items for the tests of datasets, and what a dataset makes of them."""

import itertools
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from accounts.enums import Role
from annotation.datasets.scope import Filters, Scope
from annotation.datasets.views import measure, open_view
from annotation.models import Campaign, Contestant, Item, Judgment
from annotation.queries import last_sequence
from annotation.use_cases.build_dataset import build_dataset
from annotation.use_cases.claim_slot import claim_slot
from annotation.use_cases.request_dataset import request_dataset
from annotation.use_cases.show_item import show_item
from annotation.use_cases.submit_judgment import Process, submit_judgment
from tests.annotation.numbering import number_log
from tests.factories import make_contestant, make_item, make_respondent, make_user, new_key

seeds = itertools.count(1)
ALL_VIEWS = ("preference_pairs", "reward_pairs", "votes")


def make_models(campaign: Campaign, *names: str) -> list[Contestant]:
    return [make_contestant(campaign, name) for name in names or ("alpha", "beta")]


def judge(
    item: Item,
    prefer: int | str,
    *,
    strength: int | None = None,
    acceptable: Sequence[bool] | None = None,
    worth: str | None = None,
    process: Process | None = None,
    **more: Any,
) -> Judgment:
    """One person's answer; `prefer` is the response's position, "tie" or "cannot_compare", `acceptable` by position.

    `more` are raw answers to other questions.
    """
    respondent = make_respondent(item.campaign)
    claim = claim_slot(campaign=item.campaign, respondent=respondent, now=timezone.now())
    assert claim is not None
    assignment = claim.assignment
    assert assignment.item_id == item.pk
    impression = show_item(
        campaign=item.campaign,
        instrument=item.campaign.instrument,
        item_id=item.pk,
        responses=2,
        respondent=respondent,
        assignment=assignment,
        prompt_design="assigned",
        seed=next(seeds),
    )
    choice = "ab"[impression.order.index(prefer)] if isinstance(prefer, int) else prefer
    answers: dict[str, Any] = {"preference": {"choice": choice, "strength": strength}, **more}
    if acceptable is not None:
        answers["acceptable"] = [acceptable[position] for position in impression.order]
    if worth is not None:
        answers["worth"] = {"amount": worth, "zero": None, "keep": worth}
    return submit_judgment(
        assignment_id=assignment.pk,
        lease_token=assignment.lease_token,
        key=new_key(),
        respondent=respondent,
        answers=answers,
        now=timezone.now(),
        **({"process": process} if process else {}),
    )


def judged(campaign: Campaign, models: Sequence[Contestant], prefer: int | str, **options: Any) -> Item:
    """An item of its own, judged once."""
    made = {name: options.pop(name) for name in ("texts", "prompt", "language", "category") if name in options}
    item = make_item(campaign, contestants=models, **made)
    judge(item, prefer, **options)
    return item


def scope_of(campaign: Campaign, **filters: Any) -> Scope:
    """The log as it is now, of every source of the campaign."""
    number_log()
    sources = tuple(campaign.sources.order_by("pk").values_list("pk", flat=True))
    return Scope(campaign, last_sequence(campaign), Filters(**({"sources": sources} | filters)))


def rows_of(scope: Scope, view: str = "preference_pairs") -> tuple[list[dict[str, Any]], dict[str, int]]:
    """A view's rows, and how many items were dropped for which reason."""
    opened = open_view(view, scope, measure(scope, [view]))
    rows = [row for page in opened.pages() for row in page.batch().to_pylist()]
    return rows, dict(opened.dropped)


def request(campaign: Campaign, *, views: Sequence[str] = ALL_VIEWS, **filters: Any) -> Any:
    scope = scope_of(campaign, **filters)
    return request_dataset(
        campaign_id=campaign.pk,
        views=views,
        filters=scope.filters,
        actor=make_user(role=Role.RESEARCHER),
        now=timezone.now(),
    )


def build(campaign: Campaign, **options: Any) -> Any:
    version = build_dataset(version_id=request(campaign, **options).pk, now=timezone.now())
    assert version is not None
    return version
