"""Models that think aloud write `<think>…</think>` before they answer; that is never spoken."""

import re

_OPEN = re.compile(r"<(think|thinking|thought|reasoning)>", re.IGNORECASE)
_CLOSE = re.compile(r"</(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_LONGEST_TAG = len("</reasoning>")


class Thoughts:
    """Takes an answer piece by piece and gives back what is meant to be heard. One for each answer."""

    def __init__(self) -> None:
        self._held = ""
        self._thinking = False

    def take(self, piece: str) -> str:
        """Return what can be said so far; a tag cut in two is held back until it is whole."""
        text = self._held + piece
        said: list[str] = []
        while True:
            tag = (_CLOSE if self._thinking else _OPEN).search(text)
            if tag is None:
                break
            if not self._thinking:
                said.append(_CLOSE.sub("", text[: tag.start()]))
            text = text[tag.end() :]
            self._thinking = not self._thinking
        keep = _tail_of_tag(text)
        if not self._thinking:
            # Some templates open the block themselves, so that only its end is seen.
            said.append(_CLOSE.sub("", text[: len(text) - keep]))
        self._held = text[len(text) - keep :] if keep else ""
        return "".join(said)

    def rest(self) -> str:
        """Return what was held back when the answer ended."""
        held, self._held = self._held, ""
        return "" if self._thinking else held


def _tail_of_tag(text: str) -> int:
    """Return how many characters at the end of `text` may be the beginning of a tag."""
    start = text.rfind("<", max(0, len(text) - _LONGEST_TAG + 1))
    if start < 0 or not re.fullmatch(r"</?[a-z]*", text[start:], re.IGNORECASE):
        return 0
    return len(text) - start
