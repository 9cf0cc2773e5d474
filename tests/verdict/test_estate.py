"""Facts out of rows of the views."""

import pytest

from holdfast.cli.estate import ENGINE_COMMENT_CHARACTERS_MAX, Board, estate_of
from holdfast.engine.unusable import Reach
from holdfast.values.window import WindowStatus


def test_a_list_of_sets_is_read_whole_however_long() -> None:
    """Cut like a comment it named other sets, and of a healthy tenant those behind the cut were gone."""
    ids = range(1, 1001)
    span = {
        "TENANT_ID": 1002,
        "STATUS": "REACHABLE",
        "START_SCN": 1_000_000_000,
        "END_SCN": 2_000_000_000,
        "BACKUP_SET_IDS": ",".join(map(str, ids)),
        "RESTORE_FROM": ",".join(f"file:///{'long' * 50}/{number}" for number in range(9)),
        "CAUSE": "x" * 1000,
        "REMEDY": "",
    }
    tenant = {
        "TENANT_ID": 1002,
        "TENANT_NAME": "app",
        "TENANT_ROLE": "PRIMARY",
        "STATUS": "NORMAL",
        "LOG_MODE": "ARCHIVELOG",
    }
    board = Board(now_us=1, of_sys=True, rows={"tenants": [tenant], "windows": [span]})
    (app,) = estate_of(board, missing="not asked").tenants
    assert app.spans is not None
    (found,) = app.spans
    assert found.status is WindowStatus.REACHABLE
    assert found.set_ids == tuple(ids)
    assert found.place == span["RESTORE_FROM"]
    assert len(found.cause) == 300


@pytest.mark.parametrize("serves_tls", [False, True])
@pytest.mark.parametrize("refusal", ["", "x" * 5000])
def test_what_is_said_of_accounts_that_nobody_can_use_is_whole(*, serves_tls: bool, refusal: str) -> None:
    """Its end is the way out, and the rule's remedy points at it."""
    words = Reach(serves_tls=serves_tls, refusal=refusal).words(10**9)
    rows = {
        "tenants": [
            {"TENANT_ID": 1002, "TENANT_NAME": "app", "TENANT_ROLE": "PRIMARY", "STATUS": "NORMAL", "LOG_MODE": ""}
        ],
        "health": [{"TENANT_ID": 1002, "ENGINE_STATUS": "UP", "ENGINE_COMMENT": words}],
    }
    (app,) = estate_of(Board(now_us=1, of_sys=True, rows=rows), missing="not asked").tenants
    assert app.health is not None
    assert app.health.engine_comment == words
    assert len(words) <= ENGINE_COMMENT_CHARACTERS_MAX
