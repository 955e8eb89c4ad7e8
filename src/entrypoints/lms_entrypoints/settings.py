"""Read the environment and ``lms.toml``; nothing else does."""

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lms_core.errors import ConfigurationError

PREFIX = "LMS_"
FILE = "lms.toml"
_NOT_SETTINGS = ("LMS_SECRET_", "LMS_REQUIRE_ALL", "LMS_PEER_CASES")

_LOCAL = {
    # `{data}` is the data folder, `{base}` the address people use.
    "database": "sqlite:///{data}/lms.db",
    "object_store": "file://{data}/objects",
    "url_signer": "hmac://?base={base_quoted}%2Fmedia&key=secret%3A%2F%2Fmedia%2Fkey",
    "transcoder": "ffmpeg://?workdir={data}/transcoding",
    "mailer": "outbox://{data}/outbox",
    "sms_sender": "outbox://{data}/outbox",
    "secret_store": "file://{data}/secrets",
    "identity": (
        "local://?issuer={base_quoted}&audience=lms&key=secret%3A%2F%2Ftokens%2Fkey"
    ),
    "password_hasher": "argon2://",
    "payment_gateway": (
        "sandbox://?state={data}/sandbox.db&base={base_quoted}%2Fsandbox"
        "&key=secret%3A%2F%2Fpayments%2Fwebhook-key"
    ),
    "mail_renderer": "jinja://",
    "pdf_renderer": "typst://",
    "pdf_sealer": (
        "pades://?key=secret%3A%2F%2Fcertificates%2Fpdf-key"
        "&certificate=secret%3A%2F%2Fcertificates%2Fpdf-certificate"
    ),
    "credential_signer": (
        "eddsa://?key=secret%3A%2F%2Fcertificates%2Fcredential-key"
        "&controller={base_quoted}%2Fissuer"
    ),
}


class Settings(BaseModel):
    """Which adapter stands behind each port, and how the platform presents itself.

    One URL a port, as in ``LMS_MAILER=smtp://mail.example:587``; what is not set
    follows from *cloud*. Secrets are never here, only references to them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cloud: str = "local"
    data: Path = Path("lms-data")
    base_url: str = "http://127.0.0.1:8000"
    platform_name: str = "lms-core"
    trusted_proxies: int = Field(default=0, ge=0, le=10)
    """How many proxies in front may be believed about the client's address."""

    hls_js: Path | None = None
    """A folder that holds ``hls.min.js``, for browsers without native HLS."""

    database: str = ""
    object_store: str = ""
    url_signer: str = ""
    transcoder: str = ""
    mailer: str = ""
    sms_sender: str = ""
    secret_store: str = ""
    identity: str = ""
    password_hasher: str = ""
    payment_gateway: str = ""
    mail_renderer: str = ""
    pdf_renderer: str = ""
    pdf_sealer: str = ""
    credential_signer: str = ""

    @field_validator("base_url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query:
            raise ValueError("must look like https://learn.example.org")
        return url.rstrip("/")

    @field_validator(*_LOCAL)
    @classmethod
    def _no_secrets(cls, url: str) -> str:
        # PostgreSQL writes an empty password where it needs none: `name:@host`.
        if "@" in urlsplit(url).netloc.rpartition("@")[0] or urlsplit(url).password:
            raise ValueError("credentials do not belong in a URL; use secret://")
        return url

    def url_of(self, port: str) -> str:
        """Return the URL that stands behind *port*.

        Raises:
            ConfigurationError: the cloud has no adapter for it.
        """
        chosen = str(getattr(self, port))
        if chosen:
            return chosen
        if self.cloud != "local":
            raise ConfigurationError(
                f"no cloud is called {self.cloud!r}; set LMS_CLOUD to local, "
                f"or LMS_{port.upper()} to a URL"
            )
        return _LOCAL[port].format(
            data=self.data.resolve(),
            base_quoted=self.base_url.replace(":", "%3A").replace("/", "%2F"),
        )


def load_settings(
    environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> Settings:
    """Read settings from ``lms.toml`` in *folder* and, over it, the environment.

    Raises:
        ConfigurationError: a name is unknown or a value wrong; it names both,
            and the nearest name there is.
    """
    environment = os.environ if environment is None else environment
    known = list(Settings.model_fields)
    values: dict[str, Any] = {}
    path = (folder or Path.cwd()) / FILE
    if path.is_file():
        try:
            values.update(tomllib.loads(path.read_text("utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
            raise ConfigurationError(f"{path}: {exc}") from exc
    for name, value in environment.items():
        if name.startswith(PREFIX) and not name.startswith(_NOT_SETTINGS):
            values[name.removeprefix(PREFIX).lower()] = value
    for name in values:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"; did you mean {PREFIX}{near[0].upper()}?" if near else ""
            raise ConfigurationError(f"unknown setting {PREFIX}{name.upper()}{hint}")
    try:
        return Settings(**values)
    except ValidationError as exc:
        [first, *_] = exc.errors(include_url=False, include_input=False)
        name = str(first["loc"][0]) if first["loc"] else ""
        raise ConfigurationError(f"{PREFIX}{name.upper()}: {first['msg']}") from exc
