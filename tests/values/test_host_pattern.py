"""Which addresses a pattern means: what engine 1.4.0 said over TCP from each address (decision 59)."""

import pytest

from holdfast.values.host_pattern import SOCKET_HOST, is_invited, matches

MEASURED = [
    ("", "10.1.2.3", False),
    ("%", "10.1.2.3", True),
    ("10.1.2.3", "10.1.2.3", True),
    ("10.1.2.3", "10.1.2.4", False),
    ("10.1.2._", "10.1.2.3", True),
    ("10.1.2._", "10.1.2.33", False),
    ("10.%", "10.1.2.3", True),
    ("10.%", "110.1.2.3", False),
    ("10.0.0.0/8", "10.1.2.3", True),
    ("10.0.0.0/8", "11.1.2.3", False),
    ("10.9.9.9/8", "10.1.2.3", True),
    ("10.0.0.0/255.0.0.0", "10.1.2.3", True),
    ("10.0.0.0/255.0.0.0", "11.1.2.3", False),
    ("10.0.0.3/255.0.0.255", "10.1.2.3", True),
    ("10.0.0.3/255.0.0.255", "10.1.2.4", False),
    ("1.2.3.4/0", "10.1.2.3", True),
    ("10.1.2.3/32", "10.1.2.3", True),
    ("10.1.2.3/32", "10.1.2.2", False),
    ("10.1.2.3/33", "10.1.2.3", False),
    ("10.1.2.3/-1", "10.1.2.3", False),
    ("10.1.2.3/", "10.1.2.3", False),
    ("8.8.8.8, 10.1.2.3", "10.1.2.3", True),
    ("8.8.8.8 ,10.1.2.3 ", "10.1.2.3", True),
    (",10.1.2.3,", "10.1.2.3", True),
    ("8.8.8.8,", "10.1.2.3", False),
    ("::/0", "10.1.2.3", False),
    ("::ffff:10.1.2.3", "10.1.2.3", False),
    ("localhost", "127.0.0.1", False),
    ("010.001.002.003", "10.1.2.3", False),
    ("10.1.2.3/+32", "10.1.2.3", True),
    ("10.1.2.3/ 32", "10.1.2.3", True),
    ("10.1", "10.1.0.0", False),
    ("10.1", "10.0.0.1", False),
    ("\\\\%", "10.1.2.3", False),
    ("10\t", "10.1.2.3", False),
    ("\t10.1.2.3", "10.1.2.3", True),
    ("%3%", "10.1.2.4", False),
]


@pytest.mark.parametrize(("nodes", "host", "invited"), MEASURED)
def test_list_invites_whom_the_engine_lets_in(nodes: str, host: str, invited: bool) -> None:
    assert is_invited(host, "someone", nodes) is invited


@pytest.mark.parametrize(
    ("nodes", "host", "invited"),
    [
        ("2001:db8::/32", "2001:db8::5", True),
        ("2001:db8::/32", "2001:db9::5", False),
        ("2001:db8::5/ffff:ffff::", "2001:db8:1::", True),
        ("2001%", "2001:db8::5", True),
        ("10.1.2.3", "::ffff:10.1.2.3", True),
        ("fe80::1", "fe80::1%eth0", True),
        ("%", "not an address", False),
        ("%" * 5000 + "x", "10.1.2.3", False),
    ],
)
def test_addresses_of_both_families_are_known(nodes: str, host: str, invited: bool) -> None:
    assert is_invited(host, "someone", nodes) is invited


@pytest.mark.parametrize(
    ("host", "user", "invited"),
    [("127.0.0.1", "root", True), ("::1", "root", True), ("127.0.0.2", "root", False), ("127.0.0.1", "app", False)],
)
def test_only_root_from_the_machine_itself_needs_no_invitation(host: str, user: str, invited: bool) -> None:
    assert is_invited(host, user, "10.1.2.3") is invited


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("%", True),
        ("u%", True),
        ("_nix_", True),
        ("localhost", False),
        ("127.0.0.1", False),
        ("10.%", False),
        ("0.0.0.0/0", False),
    ],
)
def test_whoever_comes_by_the_socket_is_one_text(pattern: str, matched: bool) -> None:
    assert matches(SOCKET_HOST, pattern) is matched
