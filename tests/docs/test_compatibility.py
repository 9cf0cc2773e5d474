"""The page that says what works is written from the tables that make it so, and says something of everything."""

import typing
from pathlib import Path

import pytest

from holdfast.catalog.views import VIEWS, render_markdown
from holdfast.jobs import rights_page
from holdfast.jobs.compatibility import PARAMETER_NOTES, render, view_states
from holdfast.jobs.parameters import BY_NAME, DEPRECATED
from holdfast.jobs.surface import OF_COMMAND, STATEMENTS, Callers, State
from holdfast.statement import commands
from holdfast.statement.gate import PARAMETERS_OURS

DOCS = Path(__file__).parents[2] / "docs"

_NAMES = """
ha_low_thread_score ha_mid_thread_score ha_high_thread_score ddl_thread_score log_archive_concurrency log_restore_concurrency
archive_lag_target backup_data_file_size recover_table_concurrency recover_table_dop tde_method external_kms_info
standby_db_fetch_log_rpc_timeout _backup_idle_time _restore_idle_time _backup_task_keep_alive_interval
_backup_task_keep_alive_timeout _auto_drop_recovering_auxiliary_tenant _object_storage_io_timeout _restore_io_max_retry_count
sys_bkgd_net_percentage data_backup_dest log_archive_dest log_archive_dest_state log_restore_source backup_dest
backup_dest_option backup_backup_dest backup_backup_dest_option backup_log_archive_option backup_concurrency restore_concurrency
backup_net_limit backup_recovery_window backup_region backup_zone enable_log_archive log_archive_checkpoint_interval
log_archive_batch_buffer_limit gc_wait_archive
"""
OCEANBASE_PARAMETERS = _NAMES.split()
"""Every parameter of OceanBase's that has to do with backup, archive or restore, those of V3 included."""


def test_the_page_is_what_the_tables_say() -> None:
    """After a change of a table: `make docs`."""
    assert (DOCS / "compatibility.md").read_text().strip() == render().strip()


def test_the_page_of_views_is_what_the_table_says() -> None:
    assert (DOCS / "views.md").read_text().strip() == render_markdown().strip()


def test_the_page_of_rights_is_what_the_tables_say() -> None:
    assert (DOCS / "rights.md").read_text().strip() == rights_page.render().strip()


def test_every_command_has_one_row() -> None:
    assert {row.command for row in STATEMENTS} == set(typing.get_args(commands.Command))
    assert len(STATEMENTS) == len(OF_COMMAND)


def test_what_is_missing_or_has_no_meaning_says_why() -> None:
    for row in STATEMENTS:
        assert row.note or row.state not in {State.PART, State.NEVER}, row.text
    for name, (state, note) in {**view_states(), **PARAMETER_NOTES}.items():
        assert note or state not in {State.PART, State.NEVER}, name


@pytest.mark.parametrize("name", OCEANBASE_PARAMETERS)
def test_every_parameter_of_oceanbase_is_told_of(name: str) -> None:
    assert f"`{name}" in render() or f", {name}" in render()


def test_notes_are_of_parameters_that_exist() -> None:
    assert PARAMETER_NOTES.keys() <= BY_NAME.keys()
    assert not DEPRECATED.keys() & BY_NAME.keys()


def test_the_gate_hands_the_desk_every_parameter_it_keeps_or_refuses() -> None:
    assert BY_NAME.keys() | DEPRECATED.keys() <= PARAMETERS_OURS


def test_every_view_is_told_of_once() -> None:
    told = view_states()
    assert {view.name for view in VIEWS} - {"SHOW_PARAMETERS"} <= told.keys()
    assert all(state is not State.LATER for name, (state, _) in told.items() if name in {view.name for view in VIEWS})


def test_a_row_for_outsiders_has_their_refusal() -> None:
    for row in STATEMENTS:
        if row.callers is not Callers.BOTH:
            assert row.outsiders.error().code.client in {1227, 1235, 4179}
