"""How long is waited for an endpoint that takes nothing."""

from datetime import timedelta

MISSED_AFTER = timedelta(hours=76)
"""What has been due to it for so long is missed: the ten attempts at any other would be over by then."""

DISABLED_AFTER = timedelta(hours=120)
"""An endpoint that has only failed for so long, and was not changed meanwhile, is disabled."""
