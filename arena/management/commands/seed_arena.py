from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from annotation.queries import main_board
from annotation.use_cases.create_board import create_board
from arena.errors import ArenaError
from arena.use_cases.seed_arena import NAME, SLUG, seed_arena
from inference_workers.enums import Output

NEXT = "Battles begin once two public language models are there: /admin/, Endpoints, then Language models."


class Command(BaseCommand):
    help = "Make an arena and its empty board, without the demo's people, models and judgments."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--slug", default="", help=f"of its campaign and its board (default {SLUG})")
        parser.add_argument(
            "--contestants", type=int, choices=(2, 3, 4), default=2, help="models in a battle (default 2)"
        )
        parser.add_argument(
            "--output", choices=Output.values, default=Output.TEXT, help="what the models answer with (default text)"
        )
        parser.add_argument("--name", default=NAME, help=f"as its pages and datasets call it (default {NAME!r})")

    def handle(
        self, *args: Any, slug: str, name: str, contestants: int = 2, output: str = Output.TEXT, **options: Any
    ) -> None:
        now = timezone.now()
        try:
            with transaction.atomic():
                seeded = seed_arena(now=now, slug=slug, name=name, contestants=contestants, output=output)
                campaign = seeded.campaign
                board = main_board(campaign) or create_board(
                    slug=campaign.slug, name=campaign.name, campaign=campaign, now=now
                )
        except ArenaError as refusal:
            raise CommandError(str(refusal)) from None
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from None
        address = "/" if campaign.arena.is_default else f"/arenas/{campaign.slug}"
        self.stdout.write(f"{campaign.name}: battles at {address}, board at /leaderboard/{board.slug}")
        self.stdout.write(NEXT)
