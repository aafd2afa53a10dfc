"""Whatever is tested here: no example of hypothesis is timed, since a machine that pauses is no failure."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
