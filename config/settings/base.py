"""What every deployment shares. Values come from the environment; `docs/settings.md` lists each name."""

import base64
import logging
import os
from pathlib import Path

import environ
from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from config.logs import configure_logging

# Small fits stall when several BLAS threads share a busy machine. Read by numpy when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()

VERSION = "0.1.0"
DATA_DIR = Path(env.str("CARDINAL_DATA_DIR", default=str(BASE_DIR / ".cardinal")))
SECRET_KEY = env.str("SECRET_KEY", default="")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# How many proxies stand in front; None means nobody has said, which is refused where a proxy is configured.
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=None)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
# 32 bytes, base64. Wraps the per-person keys, campaign keys and endpoint secrets.
try:
    ENCRYPTION_KEY = base64.b64decode(env.str("CARDINAL_ENCRYPTION_KEY", default=""), validate=True)
except ValueError:  # what is no base64 is told by its length, with the other refusals
    ENCRYPTION_KEY = env.str("CARDINAL_ENCRYPTION_KEY").encode()

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "foundation",
    "accounts",
    "inference_workers",
    "annotation",
    "arena",
    "config.apps.ConfigApp",
    "config.apps.CardinalAdmin",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "template_partials",
    "lucide",
    "csp",
    "django_structlog",
]

MIDDLEWARE = [
    "foundation.middleware.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    # Before all that asks who is asking.
    "arena.web.kept_boards.KeptBoards",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # The second holds the templates of question types, each in its type's folder: "questions/<type>/ask.html".
        "DIRS": [BASE_DIR / "templates", BASE_DIR / "annotation"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "foundation.context.site",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "lucide.templatetags.lucide",
                "template_partials.templatetags.partials",
            ],
        },
    },
]

# Two roles: the owner migrates, the application writes. The application's role cannot change or delete the log.
DATABASE_APP_ROLE = env.str("DATABASE_APP_ROLE", default="cardinal_app")
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgres://cardinal_app@127.0.0.1:5432/cardinal")}
DATABASES["default"].update(
    {
        "CONN_MAX_AGE": 0,
        # A connection that a restart of the server has cut is replaced before a page is made with it.
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {
            "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL_SIZE", default=16), "timeout": 10},
            # Of foundation.database.planned_cursor alone; all others bind here and are planned anew.
            "prepare_threshold": 5,
            # What is read through a cursor is read to its end: it is planned for that, not for its first rows.
            "options": "-c timezone=UTC -c statement_timeout=60000 -c lock_timeout=10000 -c cursor_tuple_fraction=1",
        },
    }
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Cardinal: "
ACCOUNT_ADAPTER = "accounts.adapter.InviteOnlyAdapter"
MFA_ADAPTER = "accounts.adapter.SealingMFAAdapter"
# allauth limits by address; behind proxies it must know how many to trust.
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT or 0
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 1
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "account/locked_out.html"
AXES_IPWARE_PROXY_COUNT = TRUSTED_PROXY_COUNT or 0
AXES_VERBOSE = False
# Failed attempts are kept for a while, as the privacy page says; who signed in from where is not written down.
AXES_DISABLE_ACCESS_LOG = True

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="cardinal@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Who answers for this site and how to reach them; the privacy and terms pages say so.
OPERATOR_NAME = env.str("OPERATOR_NAME", default="")
# What a visitor reads who writes of wanting to die: where to find help. Empty shows nothing.
CRISIS_LINE = env.str("CRISIS_LINE", default="")
OPERATOR_CONTACT = env.str("OPERATOR_CONTACT", default="")

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
# What a question type needs besides its template lies in a folder `static` of its own: "questions/<type>/ask.js".
STATICFILES_DIRS: list[Path | tuple[str, Path]] = [
    BASE_DIR / "static",
    *(
        (f"questions/{folder.parent.name}", folder)
        for folder in sorted((BASE_DIR / "annotation" / "questions").glob("*/static"))
    ),
]
STATIC_ROOT = Path(env.str("CARDINAL_STATIC_ROOT", default=str(DATA_DIR / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"},
}
SERVESTATIC_KEEP_ONLY_HASHED_FILES = True
MEDIA_ROOT = DATA_DIR / "media"
# Of one image, sound or film, and of all that come at once, unpacked, in millions of bytes.
MEDIA_FILE_MAX_MB = env.int("MEDIA_FILE_MAX_MB", default=200)
MEDIA_UPLOAD_MAX_MB = env.int("MEDIA_UPLOAD_MAX_MB", default=2000)
MEDIA_UPLOAD_MAX_FILES = env.int("MEDIA_UPLOAD_MAX_FILES", default=2000)
# A small file can unpack to a picture that fills the memory.
MEDIA_IMAGE_MAX_PIXELS = env.int("MEDIA_IMAGE_MAX_PIXELS", default=50000000)
# Of a picture that a visitor of an arena adds to a prompt, in millions of bytes, as it comes.
PICTURE_MAX_MB = env.int("PICTURE_MAX_MB", default=20)
# Of one file of items, in millions of bytes. It lies under uploads/ in the data directory until it has been read.
ITEM_UPLOAD_MAX_MB = env.int("ITEM_UPLOAD_MAX_MB", default=2000)
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000

# Pages load nothing from another origin and run no script without this response's nonce.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [NONCE, "'strict-dynamic'"],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "media-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Cardinal",
    "VERSION": VERSION,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# What takes long to compute and may be lost: kept where every process finds it. The rest stays in its own process.
CACHES: dict[str, dict[str, object]] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # Pages of boards, a hundred kilobytes or two each.
    "pages": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "pages",
        "OPTIONS": {"MAX_ENTRIES": 100},
    },
    "summaries": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cardinal",
        "OPTIONS": {
            "serializer": "foundation.json_cache.JSONSerializer",
            "socket_timeout": 2,
            "socket_connect_timeout": 2,
        },
    },
}
# For so long a board's page is shown again without a look at whether it changed; a page that is open looks at once.
BOARD_PAGE_SECONDS = 1
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_DEFAULT_QUEUE = "default"
# By the names of tasks: only what runs language models goes to the workers that hold them.
CELERY_TASK_ROUTES = {
    "inference_workers.generate": {"queue": "generation"},
    "inference_workers.warm": {"queue": "generation"},
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Above the hard limit, so that a slow task is not delivered twice; a pump's may be, for it is only a hint. The two
    # others let a killed worker's message come back within seconds instead of a hundred.
    "visibility_timeout": 900,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "queue_order_strategy": "priority",
    "priority_steps": [0, 3, 6, 9],
    # Publishing is a hint: a broker that is down, or stands still, costs the caller a moment, not minutes of attempts.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
    "socket_connect_timeout": 2,
    # Longer than a worker's own poll, which waits a second for news.
    "socket_timeout": 3,
}
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat")
# The sweepers finish what a killed worker or a flushed broker dropped.
CELERY_BEAT_SCHEDULE = {
    "probe-models": {"task": "inference_workers.probe_models", "schedule": 60.0},
    "sweep-completions": {"task": "inference_workers.sweep_completions", "schedule": 5.0},
    "sequence-log": {"task": "annotation.sequence_log", "schedule": 1.0},
    "refresh-boards": {"task": "annotation.refresh_boards", "schedule": 2.0},
    "sweep-datasets": {"task": "annotation.sweep_datasets", "schedule": 10.0},
    "sweep-dry-runs": {"task": "annotation.sweep_dry_runs", "schedule": 60.0},
    "sweep-judgings": {"task": "annotation.sweep_judgings", "schedule": 5.0},
    "sweep-generations": {"task": "annotation.sweep_generations", "schedule": 5.0},
    "sweep-uploads": {"task": "annotation.sweep_uploads", "schedule": 10.0},
    "refresh-selections": {"task": "annotation.refresh_selections", "schedule": 2.0},
    "sweep-media": {"task": "annotation.sweep_media", "schedule": 3600.0},
    "label-prompts": {"task": "annotation.label_prompts", "schedule": 10.0},
    "watch-excluded": {"task": "arena.watch_excluded", "schedule": 60.0},
    "classify-prompts": {"task": "arena.classify_prompts", "schedule": 10.0},
    "expire-assignments": {"task": "annotation.expire_assignments", "schedule": 10.0},
    "sweep-fees": {"task": "annotation.sweep_fees", "schedule": 60.0},
    "sweep-battles": {"task": "arena.sweep_battles", "schedule": 5.0},
    "forget-old-keys": {"task": "foundation.forget_idempotency_keys", "schedule": 3600.0},
}

# Where people whom a study sent go back to, with a code. A stand-in may take its place.
PROLIFIC_RETURN_URL = env.str("PROLIFIC_RETURN_URL", default="https://app.prolific.com/submissions/complete")

# How long a language model may go without a heartbeat before its work is given to another worker, in seconds.
COMPLETION_LEASE_SECONDS = env.int("COMPLETION_LEASE_SECONDS", default=30)
COMPLETION_MAX_ATTEMPTS = 3
# A pump that has run for so long ends at the next moment with nothing in hand, and so makes room for other tasks; and
# so long is the most for which it takes in work where there is no such moment.
GENERATION_REST_SECONDS = 240
GENERATION_MOST_SECONDS = 5 * 3600
# Where language models run in the worker's own process: empty for the best device there is; threads of torch, where
# 0 leaves it to torch and to OMP_NUM_THREADS.
GENERATION_DEVICE = env.str("GENERATION_DEVICE", default="")
GENERATION_THREADS = env.int("GENERATION_THREADS", default=0) or None
# Most requests of one model that run at once there, and most memory for keys and values of all its models together,
# in millions of bytes, where 0 leaves it to what is free.
GENERATION_MOST_ROWS = env.int("GENERATION_MOST_ROWS", default=256)
GENERATION_CACHE_MB = env.int("GENERATION_CACHE_MB", default=0)
# How often every model that takes part is asked something small, in minutes; 0 never.
MODEL_PROBE_MINUTES = env.int("MODEL_PROBE_MINUTES", default=30)
# Whether endpoints without a model, which answer by rule, may be used.
SCRIPTED_ENDPOINTS = env.bool("SCRIPTED_ENDPOINTS", default=False)
# Folders, besides models/ in the data directory, below which language models may be loaded from.
MODEL_FOLDERS = env.list("MODEL_FOLDERS", default=[])
# Local model servers that may be reached besides public addresses: host:port, comma-separated.
OUTBOUND_ALLOWED_HOSTS = env.list("OUTBOUND_ALLOWED_HOSTS", default=[])
# /metrics answers whoever sends it as a bearer token, and this machine itself; nobody else.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

STRUCTLOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING_CONFIG = None
# One line for each request, once it is answered; addresses are not even looked for, since no log may hold them.
DJANGO_STRUCTLOG_USER_ID_FIELD = None
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
configure_logging(STRUCTLOG_LEVEL)

SILENCED_SYSTEM_CHECKS: list[str] = []
