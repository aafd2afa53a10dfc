"""How many occurrences the next claim takes: as many as keep their row locks short."""

LEAST = 100
AIM_SECONDS = 0.1
MOST_GROWTH = 2.0


def next_batch_size(size: int, *, seconds: float, most: int) -> int:
    """Return the size after a full batch of `size` took `seconds`: what takes 0.1 s at its pace.

    At least 100, below which a batch's fixed cost, five round trips, is felt; at most `most`; never more than
    doubled by one quick batch, nor less than halved by one slow one.
    """
    fitting = size * AIM_SECONDS / seconds if seconds > 0 else size * MOST_GROWTH
    bounded = min(max(fitting, size / MOST_GROWTH), size * MOST_GROWTH)
    return max(min(LEAST, most), min(int(bounded), most))
