"""Which texts have a common table expression, in whatever form."""

import time

import pytest

from holdfast.statement.common_table import has_common_table, may_have_common_table


@pytest.mark.parametrize(
    "text",
    [
        "WITH x AS (SELECT * FROM oceanbase.__all_user) SELECT * FROM x",
        "with recursive x (a, b) as (select 1, 2) select * from x",
        "with recursive as (select 1) select * from recursive",
        "select * from (with x as (select 1) select * from x) y",
        "create view test.v1 as with `x y` as (select 1) select * from `x y`",
        'with "x" as (select 1) select * from "x"',
        "/*! with */ x /* */ as -- a\n (select 1) select 1",
        "/*!40101with x as (select 1) select * from x*/",
        "with x(a, `b`) as (select 1, 2) select 1",
        "insert into t with x as (select 1) select * from x",
        "prepare s from 'with x as (select 1) select * from x'",
        r"prepare s from 'w\ith x as (select 1) select * from x'",
        "create procedure p() begin prepare s from 'prepare t from ''with x as (select 1) select 1'''; end",
        "prepare s from 'with x as (select 1",
        "explain with x as (select 1) select 2",
    ],
)
def test_it_is_found(text: str) -> None:
    assert may_have_common_table(text.encode())
    assert has_common_table(text)


@pytest.mark.parametrize(
    "text",
    [
        "grant select on *.* to u with grant option",
        "select a from t group by a with rollup",
        "start transaction with consistent snapshot",
        "select 'a fool with money'",
        "select * from t where a = 'with x as y'",
        "create view v as select 1 with check option",
        "select with_x as (1)",
        "set @s = 'with x as (select 1) select 1'",
    ],
)
def test_other_uses_of_the_word_are_none(text: str) -> None:
    assert not has_common_table(text)


def test_a_text_full_of_beginnings_is_read_once() -> None:
    begin = time.process_time()
    for text in ("with x(" * 20_000, "with x(a, " * 20_000, "with recursive " * 20_000):
        assert not has_common_table(text)
    assert time.process_time() - begin < 10  # quadratic it was minutes
