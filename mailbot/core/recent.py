"""A memory of bounded size for values that are costly to make and asked for again and again.

What was used lately stays: it holds two generations, and when the younger is full the elder is forgotten. Asking costs
hardly more than a dictionary.
"""

from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Texts and what was made of them; at most `2 * size` of them, none longer than `longest` characters."""

    def __init__(self, size: int, longest: int) -> None:
        self._size = size
        self._longest = longest
        self._young: dict[str, Value] = {}
        self._old: dict[str, Value] = {}

    def get(self, key: str) -> Value | None:
        """What was kept, or None."""
        found = self._young.get(key)
        if found is None:
            found = self._old.pop(key, None)
            if found is not None:
                self.keep(key, found)
        return found

    def keep(self, key: str, value: Value) -> Value:
        """Keeps a value, unless its key is too long; the value."""
        if len(key) <= self._longest:
            if len(self._young) >= self._size:
                self._young, self._old = {}, self._young
            self._young[key] = value
        return value
