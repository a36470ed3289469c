"""What the step page shows of a session in which amounts are asked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from annotation.models import Respondent
from annotation.policies.stages import Stage
from annotation.queries.sessions import Step, step_of
from annotation.questions import Situation
from annotation.questions.amount.bdm import BdmMode
from annotation.questions.presentation import Choice, Option
from annotation.use_cases.begin_session import NoMoneyLeft, NotAPaidCampaign, begin_session
from annotation.web.practice_list import list_section


def session_context(respondent: Respondent, stage: Stage, given: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Begins the session where its check comes next: so its seed is fixed before anything is asked.

    `given` holds what a refused form left: the choices made, those that are wrong or missing.
    """
    if stage == Stage.CHECK:
        try:
            begin_session(respondent_id=respondent.pk, now=now)
        except NoMoneyLeft:
            return {"nothing": _("This campaign has begun all the sessions that it can pay for. Thank you.")}
        except NotAPaidCampaign:
            return {"nothing": _("This campaign cannot pay for amounts yet. Come back later.")}
    step = step_of(respondent)
    if step is None:
        return {}
    context: dict[str, Any] = {"step": step, "mechanism": _mechanism(step)}
    if stage == Stage.CHECK:
        context["check"] = _choices(step, given)
    if stage == Stage.PRACTICE and step.is_price_list:
        context["list"] = list_section(step, respondent, given.get("posted"), given.get("refusal"))
    return context


def _mechanism(step: Step) -> str:
    """In the words of the question itself; empty where nothing is paid."""
    session = step.session
    if session.endowment is None:
        return ""
    situation = Situation(2, session.currency, incentive=session.incentive, endowment=session.endowment)
    return BdmMode().explanation("a", situation)


def _choices(step: Step, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The check's questions as they are drawn, with why an answer was wrong. A second attempt begins empty."""
    wrong, gaps, chosen = given.get("wrong", {}), given.get("gaps", []), given.get("chosen", {})
    drawn = []
    for question in step.questions:
        options = [
            Option(value, label, checked=chosen.get(question.name) == value) for value, label in question.choices
        ]
        refused = question.name in gaps
        drawn.append(
            {
                "choice": Choice(question.name, question.text, options, required=True, refused=refused, layout="list"),
                "error_id": f"question-{question.name}-error",
                "errors": [_("Choose one answer.")] if refused else [],
                "why": wrong[question.name].why if question.name in wrong else "",
            }
        )
    return drawn
