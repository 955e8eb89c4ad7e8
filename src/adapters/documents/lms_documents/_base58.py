"""Bytes as text in Bitcoin's base 58, which Multikey and proofs use."""

_DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_LONGEST = 256  # characters; keys and signatures take 88 at most


def encoded(data: bytes) -> str:
    """Return *data* as text.

    >>> encoded(b"Hello World!")
    '2NEpo7TZRRrLZSi2U'
    """
    number = int.from_bytes(data, "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = _DIGITS[digit] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def decoded(text: str) -> bytes | None:
    """Return the bytes that *text* stands for, or `None` for any other text.

    >>> decoded("2NEpo7TZRRrLZSi2U")
    b'Hello World!'
    """
    if len(text) > _LONGEST or not set(text) <= set(_DIGITS):
        return None
    number = 0
    for digit in text:
        number = number * 58 + _DIGITS.index(digit)
    zeros = b"\0" * (len(text) - len(text.lstrip("1")))
    return zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
