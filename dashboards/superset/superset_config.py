"""Apache Superset's settings; scripts/superset names this file in SUPERSET_CONFIG_PATH.

Whatever is secret, or differs between machines, comes from the environment. Nothing reports home,
nothing is fetched from outside, and nothing but this machine is listened to unless a proxy is put
before it, for which TLS has to be said.
"""

import os
from pathlib import Path

from nps_warehouse.superset.charts import SCHEME

_home = Path(os.environ["NPS_SUPERSET_HOME"])
_behind_tls = os.environ.get("NPS_SUPERSET_TLS") == "1"

SECRET_KEY = os.environ["NPS_SUPERSET_SECRET_KEY"]
GUEST_TOKEN_JWT_SECRET = SECRET_KEY
SQLALCHEMY_DATABASE_URI = f"sqlite:///{_home / 'superset.db'}?check_same_thread=false"
DATA_DIR = str(_home)

APP_NAME = "NPS"
BABEL_DEFAULT_LOCALE = "en"

FEATURE_FLAGS = {
    # A rule of rows is a plain comparison: no template of a user's is ever run.
    "ENABLE_TEMPLATE_PROCESSING": False,
    "ALLOW_ADHOC_SUBQUERY": False,
    "ALERT_REPORTS": False,
    "EMBEDDED_SUPERSET": False,
}
# Every chart asks the published file, so that a publication is seen at once.
CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
RESULTS_BACKEND = None
# A chart never asks for more rows than it shows; what reads more than this was not meant.
ROW_LIMIT = 10_000
SQL_MAX_ROW = 100_000
SQLLAB_TIMEOUT = 120
SUPERSET_WEBSERVER_TIMEOUT = 120

WTF_CSRF_ENABLED = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _behind_tls
PERMANENT_SESSION_LIFETIME = 12 * 3600
AUTH_USER_REGISTRATION = False
PUBLIC_ROLE_LIKE = None
RATELIMIT_ENABLED = True
AUTH_RATE_LIMITED = True
AUTH_RATE_LIMIT = "20 per minute"
RATELIMIT_STORAGE_URI = "memory://"
FAB_API_SWAGGER_UI = False

# Superset's own policy of what a page may load, less the places outside that it allows.
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "script-src": ["'self'", "'strict-dynamic'"],
        "frame-ancestors": ["'none'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": _behind_tls,
    "session_cookie_secure": _behind_tls,
}
TALISMAN_DEV_CONFIG = TALISMAN_CONFIG
CONTENT_SECURITY_POLICY_WARNING = False

# Blue to orange: those who see no red or green can tell these apart.
EXTRA_CATEGORICAL_COLOR_SCHEMES = [
    {
        "id": "nps",
        "label": "NPS",
        "description": "Blue first, orange against it, greys between",
        "isDefault": True,
        "colors": list(SCHEME),
    }
]
EXTRA_SEQUENTIAL_COLOR_SCHEMES = [
    {
        "id": "nps_white_to_blue",
        "label": "NPS, white to blue",
        "description": "The more, the bluer",
        "isDiverging": False,
        "isDefault": True,
        "colors": ["#f4f7fb", "#c9dcf1", "#7fb0dd", "#1d5fa6"],
    }
]
