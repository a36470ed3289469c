from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from annotation.enums import SourceKind
from annotation.queries import main_board
from annotation.use_cases.create_board import create_board
from annotation.use_cases.enter_contestant import enter_contestant
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.sequence_log import sequence_log
from annotation.use_cases.simulate_judgments import simulate_judgments
from arena.use_cases.admit_contestants import enter_all_models
from arena.use_cases.seed_arena import SLUG, seed_arena
from inference_workers.dispatch import seed_demo_models

JUDGMENTS = 600
SEED = 20261101


class Command(BaseCommand):
    help = "Make the demo: four language models, an arena, and a board filled from judgments labelled as simulated."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        models = seed_demo_models(now=now)
        arena = seed_arena(now=now)
        if arena.enters_all:
            enter_all_models(arena=arena, now=now)
        board = main_board(arena.campaign) or create_board(slug=SLUG, name="Arena", campaign=arena.campaign, now=now)
        if not arena.campaign.sources.filter(kind=SourceKind.SIMULATION).exists():
            simulate_judgments(
                campaign=arena.campaign,
                contestants=[enter_contestant(revision=model.serves) for model in models],
                judgments=JUDGMENTS,
                seed=SEED,
                now=now,
            )
            sequence_log(now=now)
            refresh_board(board_id=board.pk, now=now)
