"""Read what must not stand in a setting."""

from typing import Protocol


class SecretStore(Protocol):
    """Secrets by name; a name looks like a path: ``stripe/api-key``."""

    def get(self, name: str) -> str:
        """Return the current value.

        It may be up to a minute old; after `refresh` it is not.

        Raises:
            NotFound: there is no such secret, or it is empty. The message names
                it and says where it was looked for, never a value.
            InvalidValue: the name leaves ``[A-Za-z0-9._/-]`` or has dot segments.
        """
        ...

    def refresh(self, name: str) -> str:
        """Forget what was remembered and read again: the answer to a 401."""
        ...
