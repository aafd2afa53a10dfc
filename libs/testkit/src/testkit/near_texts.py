"""Texts for schemas: those that a pattern describes, and those a step away from them."""

from collections.abc import Mapping

from hypothesis import strategies as st

ODD_PIECES = ["\n", " ", "\u200b", "\u00a0", "\u2028", "\u0085", "@", ".", "-", "é", "\U0001f600", "0"]


def near_texts(schema: object) -> st.SearchStrategy[str]:
    """Give words of a schema's pattern, words with a piece cut, put in or repeated, and any short text.

    A schema of several (`anyOf`) is each of them.
    """
    if not isinstance(schema, Mapping):
        return st.text(max_size=8)
    several = [near_texts(one) for one in schema.get("anyOf", ())]
    if "pattern" not in schema:
        return st.one_of(st.text(max_size=8), *several)
    words = st.from_regex(str(schema["pattern"]), fullmatch=True)
    pieces = st.text(max_size=2) | st.sampled_from(ODD_PIECES)
    near = st.tuples(words, st.integers(0, 12), pieces, st.integers(0, 3), st.integers(1, 60)).map(
        lambda parts: parts[0][: parts[1]] + parts[2] * parts[4] + parts[0][parts[1] + parts[3] :]
    )
    return st.one_of(words, near, st.text(max_size=8), *several)
