"""What stops a command."""


class CannotError(Exception):
    """The command cannot do what it was asked; the text is one line that says why and what to do."""
