import secrets
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from annotation.enums import Incentive, WorthState
from annotation.errors import AnnotationError
from annotation.models import Campaign, Respondent, WorthSession
from annotation.policies.draws import ENDOWMENT, commitment_of, number_from
from annotation.policies.paid_amounts import most_per_session
from annotation.queries.campaigns import supply_of
from annotation.queries.sessions import amount_question
from annotation.use_cases.record_event import record_event
from foundation.database import advisory_lock

SEED_BYTES = 32


class NoMoneyLeft(AnnotationError):
    """What is left of the campaign's money does not cover the most that another session can come to."""


class NotAPaidCampaign(AnnotationError):
    """Amounts are said to be paid, and the campaign has nothing to pay them from."""


def begin_session(*, respondent_id: int, now: datetime) -> WorthSession | None:
    """The respondent's session, begun now where they have none: its seed is drawn, and with it the endowment.

    None where the campaign asks for no amounts. Raises NoMoneyLeft and NotAPaidCampaign.
    """
    with transaction.atomic():
        # Two tabs wait here, and the second finds the session of the first.
        respondent = Respondent.objects.select_for_update(of=["self"]).get(pk=respondent_id)
        found = WorthSession.objects.filter(respondent=respondent).first()
        question = amount_question(respondent.campaign) if found is None else None
        if found is not None or question is None:
            return found
        session = _drawn(respondent.campaign, respondent, question.settings["incentive"], now)
        if session.endowment is not None:
            _refuse_beyond_budget(respondent.campaign, session.endowment)
        session.save()
        # The seed itself is nobody's before the draw.
        data = {"commitment": session.commitment, "endowment": session.endowment and str(session.endowment)}
        record_event(subject=session, verb="began", actor=respondent.person, data=data)
    return session


def seat_simulated(campaign: Campaign, respondents: Iterable[Respondent], now: datetime) -> None:
    """Sessions of people who do not exist, behind check and practice, where amounts are paid; in the caller's
    transaction. Raises NotAPaidCampaign."""
    question = amount_question(campaign)
    if question is None or question.settings["incentive"] == Incentive.STATED:
        return
    drawn = [_drawn(campaign, respondent, question.settings["incentive"], now) for respondent in respondents]
    for session in drawn:
        session.state = WorthState.ITEMS
    WorthSession.objects.bulk_create(drawn)


def _drawn(campaign: Campaign, respondent: Respondent, incentive: str, now: datetime) -> WorthSession:
    """Not yet written."""
    seed = secrets.token_hex(SEED_BYTES)
    return WorthSession(
        campaign=campaign,
        respondent=respondent,
        state=WorthState.CHECK,
        incentive=incentive,
        endowment=None if incentive == Incentive.STATED else _drawn_endowment(campaign, seed),
        currency=campaign.currency,
        seed=seed,
        commitment=commitment_of(seed),
        created_at=now,
    )


def _drawn_endowment(campaign: Campaign, seed: str) -> Decimal:
    if not campaign.endowments or not campaign.session_items:
        raise NotAPaidCampaign(f"campaign {campaign.slug} has no endowment, or no end of a session")
    return campaign.endowments[number_from(seed, ENDOWMENT, len(campaign.endowments))]


def _refuse_beyond_budget(campaign: Campaign, endowment: Decimal) -> None:
    """Whoever begins is certain of their money: sessions under way are counted at the most that they can come to."""
    if campaign.budget_money is None:
        return
    with advisory_lock(f"annotation.limits:{campaign.pk}"):
        checks = supply_of(campaign).checks
        sessions = WorthSession.objects.filter(campaign=campaign, endowment__isnull=False)
        begun = sessions.exclude(state=WorthState.ENDED).values_list("endowment", flat=True)
        most = [most_per_session(campaign, each, checks=checks) for each in (*begun, endowment) if each is not None]
        ended = sessions.filter(state=WorthState.ENDED).count() * (campaign.screen_out_pay or Decimal(0))
        if sum(most, ended) > campaign.budget_money:
            raise NoMoneyLeft(f"campaign {campaign.slug} cannot pay another session")
