from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.use_cases.sequence_log import sequence_log
from annotation.use_cases.verify_log import verify_log


class Command(BaseCommand):
    help = "Walk the log's hash chain, compute every board's newest snapshot again; exit 1 if anything differs."

    def handle(self, *args: Any, **options: Any) -> None:
        sequence_log(now=timezone.now())
        result = verify_log(now=timezone.now())
        for problem in result.problems:
            self.stderr.write(problem)
        if not result.ok:
            raise CommandError(f"the log does not verify: {len(result.problems)} problems")
        self.stdout.write(f"{result.entries} entries verified, {result.unnumbered} waiting for their number")
