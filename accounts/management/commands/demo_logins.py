from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.use_cases.make_demo_logins import has_demo_logins, make_demo_logins


class Command(BaseCommand):
    help = "Make the demo logins (annotator, reviewer, researcher, admin) and print passwords that were made just now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reset", action="store_true", help="give those that are there new random passwords")

    def handle(self, *args: Any, reset: bool, **options: Any) -> None:
        if reset and not has_demo_logins():
            raise CommandError("there are no demo logins here; demo_logins without --reset makes them")
        logins = make_demo_logins(reset=reset, now=timezone.now())
        for login in logins:
            password = login.password or "(set earlier; demo_logins --reset makes a new one)"
            self.stdout.write(f"{login.username:<12} {password}")
