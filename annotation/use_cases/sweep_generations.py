from datetime import datetime

from annotation.enums import CampaignState, GenerationKind, GenerationState
from annotation.models import Generation
from annotation.use_cases.advance_generation import advance_generation
from annotation.use_cases.change_generation import cancel_generation
from annotation.use_cases.make_gold import make_gold


def sweep_generations(*, now: datetime) -> list[int]:
    """Go on with every generation that runs, whatever was lost of what should have told a worker; their ids.

    Those of a closed campaign are cancelled.
    """
    running = list(Generation.objects.filter(state=GenerationState.RUNNING).select_related("campaign").order_by("pk"))
    for generation in running:
        if generation.campaign.state == CampaignState.CLOSED:
            cancel_generation(generation_id=generation.pk, actor=None, reason="the campaign was closed", now=now)
        elif generation.kind == GenerationKind.GOLD:
            make_gold(generation_id=generation.pk, now=now)
        else:
            advance_generation(generation_id=generation.pk, now=now)
    return [generation.pk for generation in running]
