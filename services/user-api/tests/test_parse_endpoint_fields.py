import re
from ipaddress import IPv6Address

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyreqwest.http import Url
from user_api.parse_endpoint_fields import URL_PATTERN, url
from user_api.parse_fields import FieldError
from user_api.parse_headers import header_changes, headers

GOOD_URLS = [
    "http://example.com",
    "https://example.com/",
    "https://example.com:1/hooks/7?a=b&c=%20",
    "https://EXAMPLE.com/Hooks",
    "http://localhost:8002/webhook",
    "http://my_service:65535",
    "https://xn--bcher-kva.example/",
    "http://203.0.113.7/hook",
    "http://[2001:db8::7]:8080/hook",
    "https://a-b.c0.example?x",
    f"https://example.com/{'a' * 1980}",
]
NO_URL = "is not a URL such as https://example.com/hooks"
NO_SCHEME = "does not begin with http:// or https://"
CREDENTIALS = "has credentials; send them in a header"
FRAGMENT = "has a fragment, which no request carries"
BAD_URLS: dict[object, str] = {
    7: "is not text",
    "": NO_SCHEME,
    "example.com": NO_SCHEME,
    "ftp://example.com": NO_SCHEME,
    "javascript:alert(1)": NO_SCHEME,
    "file:///etc/passwd": NO_SCHEME,
    " https://example.com": NO_SCHEME,
    "//example.com": NO_SCHEME,
    "https://ada@example.com": CREDENTIALS,
    "https://ada:hunter2@example.com/": CREDENTIALS,
    "https://example.com@203.0.113.7/": CREDENTIALS,
    "https://example.com/#top": FRAGMENT,
    "https://example.com#": FRAGMENT,
    f"https://example.com/{'a' * 1981}": "is longer than 2000 characters",
    **dict.fromkeys(
        [
            "https://",
            "https:///path",
            "https://example..com",
            "https://.example.com",
            "https://-example.com",
            "https://example.com:0",
            "https://example.com:65536",
            "https://example.com:",
            "https://example.com:80:80",
            "https://exa mple.com",
            "https://example.com/a b",
            "https://example.com/%2",
            "https://example.com/\n",
            "https://example.com\n",
            "https://example.com/\\evil.example",
            "https://bücher.example",
            "https://example.com/ä",
            "http://2130706433",
            "http://0x7f.1",
            "http://0x7f000001",
            "http://0177.0.0.1",
            "http://127.1",
            "http://256.1.1.1",
            "http://1.2.3.4.5",
            "http://[::1",
            "http://[::::]",
            "http://[fe80::1%25eth0]/",
            "http://[1.2.3.4]",
            f"https://{'a.' * 130}example",
            f"https://{'a' * 64}.example",
        ],
        NO_URL,
    ),
}


@pytest.mark.parametrize("text", GOOD_URLS)
def test_a_url_is_taken_as_it_is(text: str) -> None:
    assert url(text) == text


@pytest.mark.parametrize("value", BAD_URLS, ids=repr)
def test_what_is_no_url_for_webhooks_is_refused_with_the_reason(value: object) -> None:
    with pytest.raises(FieldError) as refused:
        url(value)

    assert str(refused.value) == BAD_URLS[value]


@settings(max_examples=150, deadline=None)
@given(st.from_regex(URL_PATTERN, fullmatch=True))
def test_what_is_taken_is_a_url_to_the_workers_client_with_the_host_that_was_meant(text: str) -> None:
    authority = re.split(r"[/?]", text.partition("//")[2])[0]
    host = re.sub(r":[0-9]*$", "", authority).lower()
    assume("xn--" not in host)  # that Punycode is right is not looked at here
    try:
        url(text)
    except FieldError:
        assume(condition=False)
    parsed = Url(text)

    assert parsed.host_str is not None
    if host.startswith("["):
        assert IPv6Address(parsed.host_str.strip("[]")) == IPv6Address(host.strip("[]"))
    else:
        assert parsed.host_str == host
    assert (parsed.username, parsed.password, parsed.fragment) == ("", None, None)


GOOD_HEADERS = [
    {},
    {"Authorization": "Bearer a.b.c"},
    {"x-api-key": "!"},
    {"X-Word": "two words"},
    {"X" * 100: "v" * 2000},
    {f"X-{place}": "v" for place in range(10)},
]
BAD_HEADERS: list[tuple[object, str]] = [
    ("X: y", "is not an object of names and values"),
    ({f"X-{place}": "v" for place in range(11)}, "has more than 10"),
    *(
        ({name: "v"}, "has one whose name is not that of a header, at most 100 characters long")
        for name in ("", "X Y", "X:Y", "X\r\nY", "É", "X" * 101)
    ),
    *(
        ({name: "v"}, f"has {name.lower()}, which Carillon sets itself")
        for name in (
            "Host",
            "CONTENT-TYPE",
            "Content-Length",
            "Content-Encoding",
            "Transfer-Encoding",
            "Connection",
            "Keep-Alive",
            "TE",
            "Trailer",
            "Upgrade",
            "Proxy-Authorization",
            "Expect",
            "User-Agent",
            "Idempotency-Key",
            "Traceparent",
            "Tracestate",
            "Webhook-Id",
            "webhook-signature",
            "Webhook-Anything",
        )
    ),
    ({"X-A": "v", "x-a": "w"}, "has x-a more than once"),
    *(
        ({"X-A": value}, "has one whose value is not 1 to 2000 characters of printable ASCII")
        for value in ("", " ", " v", "v ", "a\r\nX-B: c", "a\x00", "ä", "v" * 2001, 7, True, ["v"])
    ),
]


@pytest.mark.parametrize("given_headers", GOOD_HEADERS, ids=str)
def test_headers_are_taken_as_they_are(given_headers: dict[str, str]) -> None:
    assert headers(given_headers) == given_headers


@pytest.mark.parametrize(("value", "reason"), BAD_HEADERS, ids=str)
def test_headers_that_are_not_a_clients_to_set_are_refused_with_the_reason(
    value: object, reason: str
) -> None:
    for read in (headers, header_changes):
        with pytest.raises(FieldError) as refused:
            read(value)

        assert str(refused.value) == reason


def test_only_a_change_of_headers_may_take_one_away() -> None:
    assert header_changes({"X-A": None}) == {"X-A": None}
    with pytest.raises(FieldError, match="has one whose value is not text"):
        headers({"X-A": None})
