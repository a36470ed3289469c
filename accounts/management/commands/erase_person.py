from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import Person, User
from accounts.use_cases.create_person import person_of_user, visitor_digest
from accounts.use_cases.erase_person import erase_person


class Command(BaseCommand):
    help = "Make what somebody wrote unreadable and close their account. Their judgments and the standings stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("username", nargs="?", help="of an account")
        who.add_argument("--visitor", metavar="COOKIE", help="value of the cookie in the browser of a visitor who asks")
        parser.add_argument("--yes", action="store_true", help="do it; there is no way back")

    def handle(self, *args: Any, username: str | None, visitor: str | None, yes: bool, **options: Any) -> None:
        person = visitor_named(visitor) if visitor else account_named(username or "")
        texts = person.texts.count()
        if not yes:
            raise CommandError(f"{texts} texts of this person would become unreadable for ever: say --yes to do it")
        erase_person(person_id=person.pk, now=timezone.now())
        self.stdout.write(f"Erased: {texts} texts of this person can no longer be read, by anybody.")


def account_named(username: str) -> Person:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"there is no account {username!r}")
    return person_of_user(user=user, now=timezone.now())


def visitor_named(cookie: str) -> Person:
    person = Person.objects.filter(visitor_digest=visitor_digest(cookie)).first()
    if person is None:
        raise CommandError("no visitor has this cookie: nobody began a battle with it, or they were erased")
    return person
