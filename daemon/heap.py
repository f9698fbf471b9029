"""The process's heap: what a house keeps for good is taken out of the garbage collector's rounds.

A full round looks at every object that there is, and the parts of a running house are some half a million: it stopped
everything, sound included, for 175 ms on a small machine, whenever enough had been added. What comes later is little.
"""

import gc


def keep_for_good() -> None:
    """Count all that is there now as never to be garbage; it still goes when nothing refers to it any more."""
    gc.freeze()
