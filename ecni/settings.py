"""Django settings: one file, read from the environment; every variable is explained in docs/configuration.md."""

import re
from pathlib import Path
from typing import Any

import django_stubs_ext
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ecni.env import (
    env_bool,
    env_int,
    env_list,
    env_required,
    env_secret,
    env_str,
    postgresql,
    redis_database,
    refuse_short_secrets,
)

django_stubs_ext.monkeypatch()  # lets a field or an admin class name its type: BinaryField[bytes, bytes]

BASE_DIR = Path(__file__).resolve().parent.parent

ENV = env_str("ECNI_ENV", "production")
if ENV not in {"production", "demo", "test"}:
    raise ImproperlyConfigured(f"ECNI_ENV must be production, demo or test, not {ENV!r}.")
PRODUCTION = ENV == "production"
ROLE = env_str("ROLE", "web" if PRODUCTION else "all")
if ROLE not in {"web", "sockets", "all", "worker", "beat", "watch"}:
    raise ImproperlyConfigured(f"ROLE must be web, sockets, all, worker, beat or watch, not {ROLE!r}.")
DEBUG = env_bool("DEBUG", default=False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DEBUG is refused in production: its error pages show secrets.")

# ----- Secrets: compulsory in production, throw-away elsewhere -----
_SECRETS = ("SECRET_KEY", "SLIP_SECRET", "TICKET_SECRET", "KEY_SHARE_1", "KEY_SHARE_2", "CHECKPOINT_KEY")
_PLACES = ("DATABASE_URL", "REDIS_URL", "PAPERS_ROOT", "RESULTS_ROOT", "STATIC_ROOT", "ALLOWED_HOSTS")
_THROW_AWAY = {name: f"throw-away {name} of the {ENV} environment, known to all" for name in _SECRETS} | {
    "DATABASE_URL": "postgresql://ecni@localhost/ecni",
    "REDIS_URL": "redis://localhost:6379/0",
    "PAPERS_ROOT": str(BASE_DIR / ".demo" / "papers"),
    "RESULTS_ROOT": str(BASE_DIR / ".demo" / "results"),
    "STATIC_ROOT": str(BASE_DIR / ".demo" / "static"),
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
}
_required = env_required((*_SECRETS, *_PLACES), None if PRODUCTION else _THROW_AWAY)
refuse_short_secrets({name: _required[name] for name in _SECRETS})

SECRET_KEY = _required["SECRET_KEY"]
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")
SLIP_SECRET = _required["SLIP_SECRET"]
TICKET_SECRET = _required["TICKET_SECRET"]
KEY_SHARE_1 = _required["KEY_SHARE_1"]
KEY_SHARE_2 = _required["KEY_SHARE_2"]
CHECKPOINT_KEY = _required["CHECKPOINT_KEY"]
CHECKPOINT_FORMER_KEYS = env_list("CHECKPOINT_FORMER_KEYS")
if not all(re.fullmatch(r"[0-9a-f]{64}", key) for key in CHECKPOINT_FORMER_KEYS):
    raise ImproperlyConfigured("CHECKPOINT_FORMER_KEYS must be public keys of 64 hexadecimal digits.")
METRICS_TOKEN = env_secret("METRICS_TOKEN")
PAPERS_ROOT = Path(_required["PAPERS_ROOT"])
RESULTS_ROOT = Path(_required["RESULTS_ROOT"])

# ----- Applications -----
INSTALLED_APPS = [
    "daphne",
    "ecni",
    "ecni.accounts",
    "exams",
    "centres",
    "grading",
    "ranking",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "channels",
    "csp",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "ecni.middleware.permissions_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "ecni.urls"
ASGI_APPLICATION = "ecni.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# ----- Language and time -----
LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "ecni" / "locale"]
TIME_ZONE = "Europe/Paris"
USE_I18N = True
USE_TZ = True

# ----- PostgreSQL: the truth -----
_database = postgresql(_required["DATABASE_URL"])
DATABASES: dict[str, dict[str, Any]] = {
    "default": _database
    | {
        "CONN_MAX_AGE": None,  # threads are few and last: whoever has a connection keeps it when no other can be had
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            "application_name": f"ecni-{ROLE}",
            "connect_timeout": 5,
            "keepalives_idle": 30,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
            "options": "-c lock_timeout=5s -c idle_in_transaction_session_timeout=30s",
        }
        | _database["OPTIONS"],
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ----- Redis: hints, cache, tasks; three databases from the one that REDIS_URL names -----
_REDIS_CACHE = redis_database(_required["REDIS_URL"], 0)
REDIS_HINTS_URL = redis_database(_required["REDIS_URL"], 1)
_REDIS_TASKS = redis_database(_required["REDIS_URL"], 2)
# Published messages ignore database numbers, so that two houses on one server need different prefixes.
REDIS_PREFIX = f"ecni{REDIS_HINTS_URL.rpartition('/')[2]}"

_SHARED_POOL = "ecni.shared.cachepool.SharedPool"
CACHES = {
    # What waits between two pages of an import: tens of megabytes.
    "uploads": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _REDIS_CACHE,
        "KEY_PREFIX": "ecni",
        "OPTIONS": {"pool_class": _SHARED_POOL, "socket_connect_timeout": 2, "socket_timeout": 30},
    },
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _REDIS_CACHE,
        "KEY_PREFIX": "ecni",
        # A page does without what the cache holds: it waits an instant for a Redis that does not answer.
        "OPTIONS": {
            "pool_class": _SHARED_POOL,
            "socket_connect_timeout": 0.5,
            "socket_timeout": 0.5,
        },
    },
}
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "prefix": REDIS_PREFIX,
            # Proved to keep every socket open and delivering through a restart of Redis; socket_timeout stays above 5.
            "hosts": [
                {
                    "address": REDIS_HINTS_URL,
                    "retry": Retry(ExponentialWithJitterBackoff(base=0.05, cap=1), 6),
                    "retry_on_error": [RedisConnectionError, RedisTimeoutError],
                    "health_check_interval": 15,
                    "socket_keepalive": True,
                    "socket_connect_timeout": 2,
                    "socket_timeout": 15,
                },
            ],
        },
    },
}
CELERY = {
    "broker_url": _REDIS_TASKS,
    "broker_connection_retry_on_startup": True,
    # Above task_time_limit, else Redis hands a running task to a second worker.
    "broker_transport_options": {"visibility_timeout": 7200, "socket_timeout": 30, "socket_keepalive": True},
    "task_acks_late": True,
    "task_always_eager": ENV == "test",
    "task_eager_propagates": True,
    "task_ignore_result": True,
    "task_reject_on_worker_lost": True,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_soft_time_limit": 1700,
    "task_time_limit": 1800,
    "timezone": TIME_ZONE,
    "worker_cancel_long_running_tasks_on_connection_loss": True,
    "worker_hijack_root_logger": False,
    "worker_max_tasks_per_child": 200,
    "worker_prefetch_multiplier": 1,
    "worker_soft_shutdown_timeout": 30,
}

# ----- Static files -----
STATIC_URL = "/static/"
STATIC_ROOT = Path(_required["STATIC_ROOT"])
STATICFILES_DIRS = [path for path in [BASE_DIR / "static"] if path.is_dir()]
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = ENV == "test" or DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "ecni.static.HashedModules",
    },
}

# ----- Who may come in -----
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "/connexion/"
LOGIN_REDIRECT_URL = "/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {},
        "MinimumLengthValidator": {"min_length": 12},
        "CommonPasswordValidator": {},
        "NumericPasswordValidator": {},
    }.items()
]
BEHIND_PROXY = env_bool("BEHIND_PROXY", default=PRODUCTION)
# A whole centre shares one address: an address alone never locks anyone out.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"  # not in Redis: staff log in when it is away
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_ENABLED = ENV != "test"
AXES_VERBOSE = False
AXES_IPWARE_PROXY_COUNT = 0  # Daphne's --proxy-headers put the client's address in REMOTE_ADDR
OTP_TOTP_ISSUER = "ECNi"

# ----- How many a process lets in, until the staff decides otherwise (docs/operations.md) -----
ADMISSION_LIMITS = {
    "SOCKETS": env_int("SOCKETS_BUDGET", 10_000, least=1),
    "RESERVE": env_int("SOCKETS_RESERVE", 2_500),
    "LOGINS": env_int("LOGINS_BUDGET", 25, least=1),
}

# ----- What browsers are told -----
ALLOWED_HOSTS = [host.strip() for host in _required["ALLOWED_HOSTS"].split(",") if host.strip()]
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "blob:"],  # images of a paper are decrypted in the browser
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = env_int("HSTS_SECONDS", 365 * 24 * 3600) if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# ----- Logs: JSON lines, no identities -----
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "ecni.logs.JsonLines", "role": ROLE}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env_str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        "axes": {"handlers": [], "level": "CRITICAL", "propagate": True},  # its lines carry user names
    },
}
