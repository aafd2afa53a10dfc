"""Open files: as many as the system lets this process have, whatever it gives at first."""

import resource

# A worker may have 1,400 attempts under way, each with a connection, and keeps idle ones besides. A shell
# gives 1,024 files, and macOS 256; there no more than these can be had.
MOST_OPEN_FILES = 10_240


def allow_more_open_files() -> None:
    """Raise the soft limit of open files towards the hard one; without a file left, webhooks would fail."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(MOST_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
