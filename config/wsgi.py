"""Pages and API under any WSGI server; streams need `config.asgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")

application = get_wsgi_application()

from config.starting import exit_if_unsafe  # noqa: E402  (needs the settings)

exit_if_unsafe()
