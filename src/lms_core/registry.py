"""Find the adapter a URL asks for."""

from importlib.metadata import EntryPoint, entry_points
from typing import Any, Self
from urllib.parse import urlsplit

from attrs import frozen

from lms_core.errors import ConfigurationError
from lms_core.ports.object_store import ObjectStore
from lms_core.ports.secret_store import SecretStore
from lms_core.ports.system import Clock, IdSource, TokenSource


@frozen(kw_only=True)
class Wiring:
    """What an opener may use besides its URL.

    *secrets* and *objects* are `None` while those ports themselves are opened.
    """

    clock: Clock
    ids: IdSource
    tokens: TokenSource
    secrets: SecretStore | None = None
    objects: ObjectStore | None = None

    def secret(self, reference: str) -> str:
        """Return what ``secret://name`` stands for.

        Raises:
            ConfigurationError: *reference* is not of that form, or there is
                nowhere to look.
            NotFound: there is no such secret.
        """
        parts = urlsplit(reference)
        if parts.scheme != "secret" or self.secrets is None:
            raise ConfigurationError(
                "a secret must be given by reference, as in secret://media/key"
            )
        return self.secrets.get(f"{parts.netloc}{parts.path}")


@frozen
class Registry:
    """Openers by port and URL scheme; nothing is imported until it is opened.

    An adapter announces itself by an entry point in the group
    ``lms_core.<port>``, named by its URL scheme, that points at a function of a
    URL and a `Wiring`.
    """

    _openers: dict[tuple[str, str], EntryPoint]

    @classmethod
    def installed(cls, *ports: str) -> Self:
        """Collect what installed distributions offer for *ports*."""
        return cls(
            {
                (port, entry.name): entry
                for port in ports
                for entry in entry_points(group=f"lms_core.{port}")
            }
        )

    def schemes(self, port: str) -> tuple[str, ...]:
        """Return the URL schemes there are for *port*."""
        return tuple(sorted(name for of, name in self._openers if of == port))

    def open(self, port: str, url: str, wiring: Wiring) -> Any:
        """Open the adapter that *url* asks for.

        Raises:
            ConfigurationError: nothing is installed for the scheme, or the
                adapter's SDK is missing.
        """
        scheme = urlsplit(url).scheme
        entry = self._openers.get((port, scheme))
        if entry is None:
            known = ", ".join(self.schemes(port)) or "none"
            raise ConfigurationError(f"no {port} for {scheme!r}; installed: {known}")
        try:
            opener = entry.load()
        except ImportError as exc:
            extra = ",".join(entry.extras) or scheme
            raise ConfigurationError(
                f"{scheme}:// needs an extra: pip install 'lms-core[{extra}]'"
            ) from exc
        return opener(url, wiring)
