"""Several statements in one text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.statement.split import split


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        (" ; ;; -- nothing\n", []),
        ("select 1", ["select 1"]),
        ("select 1;", ["select 1"]),
        ("select 1; select 2 ;", ["select 1", "select 2"]),
        ("select ';' /* ; */; -- ;\n select `;`, \";\" # ;", ["select ';' /* ; */", "-- ;\n select `;`, \";\" # ;"]),
        ("/* a */ select 1 /* b */ ; /* c */", ["/* a */ select 1 /* b */"]),
        ("select 'never; ends", ["select 'never; ends"]),
        ("/*! select 1 */; select 2", ["/*! select 1 */", "select 2"]),
        ("create table function (a int); select 1", ["create table function (a int)", "select 1"]),
        ("create view trigger_v as select 1; select 2", ["create view trigger_v as select 1", "select 2"]),
        ("create definer=u sql security invoker view v as select 1; select 2",
         ["create definer=u sql security invoker view v as select 1", "select 2"]),
        ("alter procedure p comment 'x'; select 1", ["alter procedure p comment 'x'", "select 1"]),
        ("begin; select 1; commit", ["begin", "select 1", "commit"]),
    ],
)  # fmt: skip
def test_text_is_parted_at_top_level_semicolons(text: str, pieces: list[str]) -> None:
    assert [piece.text for piece in split(text)] == pieces


@pytest.mark.parametrize(
    "body",
    [
        "CREATE DEFINER=root@'%' PROCEDURE p() BEGIN select 1; select 2; END; select 3",
        "create or replace function f() returns int return 1; select 2",
        "create trigger t before insert on x for each row begin set @a=1; set @b=2; end",
        "create event e on schedule every 1 day do begin select 1; end",
        "alter event e do begin select 1; end",
    ],
)
def test_stored_code_is_one_piece_to_the_end(body: str) -> None:
    assert [piece.text for piece in split(f"set @a=1; {body}")] == ["set @a=1", body]


@given(st.text("ab;'\"`/*!- \n#"))
def test_pieces_are_slices_of_the_text_in_order(text: str) -> None:
    end = 0
    for piece in split(text):
        assert piece.text == text[piece.start : piece.end] != ""
        assert piece.start >= end
        end = piece.end
