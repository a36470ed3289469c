"""`manage.py migrate`: Django's, which first says in words when the database is of a version that it cannot take on."""

from typing import Any

from django.core.management.commands.migrate import Command as Migrate
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from config.management.installation import refuse_halfway


class Command(Migrate):
    def handle(self, *args: Any, **options: Any) -> None:
        applied = MigrationRecorder(connections[options["database"]]).applied_migrations()
        refuse_halfway(applied, "This database")
        super().handle(*args, **options)
