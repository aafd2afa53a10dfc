"""SQL: one statement a file, `sql/claim_due.sql`, named as the function that calls it, loaded once."""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files

_FIRST_COMMENT = re.compile(r"\A(?:--.*\n)+")


class Statements(Mapping[str, str]):
    """The statements of one package's `sql` folder, by file name without its ending."""

    def __init__(self, package: str) -> None:
        folder = files(package).joinpath("sql")
        self._texts = {
            # Without what it tells a reader first: a span is named by a statement's first word.
            file.name.removesuffix(".sql"): _FIRST_COMMENT.sub("", file.read_text(encoding="utf-8"))
            for file in folder.iterdir()
            if file.name.endswith(".sql")
        }

    def __getitem__(self, name: str) -> str:
        """Return the text of the statement; KeyError if there is no such file."""
        return self._texts[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the statements' names."""
        return iter(self._texts)

    def __len__(self) -> int:
        """Return how many statements there are."""
        return len(self._texts)
