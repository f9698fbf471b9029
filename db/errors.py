"""The root of the error tree, and what every link to the world raises; `daemon/errors.py` draws the whole tree."""


class MordomoError(Exception):
    """Root of every error that Mordomo raises on purpose."""


class LinkDown(MordomoError):  # noqa: N818 - a state of the world, not a mistake
    """A link (database, broker, server) is away; the holder of the link retries."""

    def __init__(self, what: str, why: str = "") -> None:
        super().__init__(f"{what}: {why}" if why else what)
        self.what = what
        self.why = why
