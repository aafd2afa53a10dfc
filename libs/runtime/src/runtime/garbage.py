"""Garbage: objects that refer to each other are looked for less often than CPython does by itself."""

import gc

# How many new objects, then how many rounds until older ones are looked through too. A hundred webhooks under
# way are more than CPython's 700 and no garbage: to look among them took 5 % of a POST. 20,000 are some MB.
LOOK_AFTER = (20_000, 20, 20)


def look_for_garbage_less() -> None:
    """Take what there is by now as there to stay, and look through the rest by `LOOK_AFTER`."""
    gc.freeze()
    gc.set_threshold(*LOOK_AFTER)
