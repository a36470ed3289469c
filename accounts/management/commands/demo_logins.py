from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from accounts.use_cases.make_demo_logins import make_demo_logins


class Command(BaseCommand):
    help = "Make the demo logins (annotator, researcher, admin) and print passwords that were made just now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reset", action="store_true", help="give every demo login a new random password")

    def handle(self, *args: Any, reset: bool, **options: Any) -> None:
        logins = make_demo_logins(reset=reset, now=timezone.now())
        for login in logins:
            password = login.password or "(set earlier; demo_logins --reset makes a new one)"
            self.stdout.write(f"{login.username:<12} {password}")
