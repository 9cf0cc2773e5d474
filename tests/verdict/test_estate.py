"""Facts out of rows of the views."""

from holdfast.cli.estate import Board, estate_of
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
