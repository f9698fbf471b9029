"""How often somebody may: a bucket of tokens that fills with time."""

from daemon.clock import Clock


class Limit:
    """Allows `burst` at once, and one more each `every_s` seconds."""

    def __init__(self, clock: Clock, burst: int, every_s: float) -> None:
        self._clock = clock
        self._burst = float(burst)
        self._every_s = every_s
        self._left = self._burst
        self._at_s = clock.monotonic()

    def allows(self) -> bool:
        """Take one, where there is one to take."""
        now_s = self._clock.monotonic()
        self._left = min(self._burst, self._left + (now_s - self._at_s) / self._every_s)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True
