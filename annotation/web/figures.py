"""What a generation takes, before it begins: completions, items, tokens, money and time, in words."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.imports.prompts import GivenPrompt
from annotation.models import Campaign
from annotation.policies.estimates import Wanted, estimate
from annotation.policies.samples import Plan, Samples, refusal_of
from annotation.queries.generations import paces
from annotation.use_cases.start_generation import CannotGenerate
from inference_workers.models import LanguageModel


def reckoned(
    campaign: Campaign, prompts: Sequence[GivenPrompt], models: Sequence[LanguageModel], samples: Samples
) -> dict[str, Any]:
    """Raises CannotGenerate for what start_generation would refuse."""
    plan = samples.plan(prompts=len(prompts), models=len(models), seats=campaign.responses_per_item)
    refused = refusal_of(plan)
    if refused:
        raise CannotGenerate(refused)
    found = estimate(
        prompts=len(prompts),
        characters=sum(len(message["content"]) for given in prompts for message in json.loads(given.messages)),
        wanted=_wanted(plan, models),
    )
    return {
        "prompts": len(prompts),
        "plan": plan,
        "estimate": found,
        "time": in_words(found.time),
        "all_of_them": plan.all_answer or plan.contestants == plan.seats,
    }


def _wanted(plan: Plan, models: Sequence[LanguageModel]) -> list[Wanted]:
    """Of each model under each of the settings."""
    by_model, by_contestant, settings = paces(models), plan.by_contestant(), plan.drawn_with
    found = []
    for place, model in enumerate(models):
        for number, each in enumerate(settings):
            if plan.own:
                completions = by_contestant[place * len(settings) + number]
            else:
                completions = by_contestant[place] // len(settings)
            found.append(Wanted(by_model[model.pk], completions, each.name, each.max_tokens))
    return found


def in_words(span: timedelta | None) -> str:
    """To the minute, or below one to the second; empty for None."""
    if span is None:
        return ""
    seconds = max(round(span.total_seconds()), 1)
    if seconds < 60:
        return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    minutes = round(seconds / 60)
    if minutes < 60:
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    return _("%(hours)d h %(minutes)d min") % {"hours": minutes // 60, "minutes": minutes % 60}
