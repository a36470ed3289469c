"""Static files, pages and API under any WSGI server; streams need `config.asgi`."""

import os

from django.core.wsgi import get_wsgi_application
from servestatic import ServeStatic

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")

pages = get_wsgi_application()

from config.starting import exit_if_unsafe  # noqa: E402  (needs the settings)
from config.static_files import options  # noqa: E402

exit_if_unsafe()

application = ServeStatic(pages, **options())
