"""The concepts of the catalog on a real engine: what is kept, what is refused, and what two callers at once get."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from catalog_rig import SysEngine
from catalog_samples import NOW_NS, START_US, UNIT, archive_round, backup_set, job, piece, restore, task, tenant_value

from holdfast import codes
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.parameters import ParameterDefinition
from holdfast.catalog.tenants import TenantScns
from holdfast.codes import Code
from holdfast.errors import ConflictError, EngineError, HoldfastError, NotFoundError
from holdfast.values.archive import PieceStatus, RoundStatus
from holdfast.values.backup_set import JobLevel, JobStatus, SetStatus, TaskStatus
from holdfast.values.destination import ArchiveDestination, Binding, Destination, DestinationKind, parse_uri
from holdfast.values.restore import RestoreStatus
from holdfast.values.scn import Scn
from holdfast.values.tenant import LogMode, Tenant, TenantPurpose, TenantRole, TenantStatus

pytestmark = pytest.mark.live


def code_of(call: Callable[[], object]) -> Code:
    with pytest.raises(HoldfastError) as caught:
        call()
    return caught.value.code


class TestConnections:
    def test_a_restarted_engine_is_reached_again(self, engine: SysEngine, catalog: Catalog, tenant: Tenant) -> None:
        with ThreadPoolExecutor(4) as pool:  # several idle connections, all of which the restart kills
            list(pool.map(lambda _: catalog.tenants.by_id(tenant.tenant_id), range(8)))
        engine.restart()
        assert catalog.tenants.by_id(tenant.tenant_id) == tenant

    def test_a_block_that_raises_leaves_nothing(self, catalog: Catalog, tenant: Tenant) -> None:
        def half() -> None:
            with catalog._connections.transaction() as transaction:
                transaction.execute(
                    "UPDATE __holdfast.tenant SET locality = 'half' WHERE tenant_id = %s", (tenant.tenant_id,)
                )
                raise RuntimeError

        with pytest.raises(RuntimeError):
            half()
        with catalog._connections.transaction() as transaction:
            row = transaction.one("SELECT locality FROM __holdfast.tenant WHERE tenant_id = %s", (tenant.tenant_id,))
        assert row != ("half",)

    def test_more_threads_than_connections_wait_their_turn(self, engine: SysEngine) -> None:
        narrow = Catalog(engine.connect, engine.log_in, connections_max=2)
        with ThreadPoolExecutor(8) as pool:
            ids = list(pool.map(lambda _: narrow.backups.next_job_id(7777), range(40)))
        assert sorted(ids) == list(range(min(ids), min(ids) + 40))
        narrow.close()

    def test_a_closed_catalog_says_so(self, engine: SysEngine) -> None:
        closed = Catalog(engine.connect, engine.log_in)
        closed.close()
        with pytest.raises(EngineError):
            closed.tenants.all()


class TestTenants:
    def test_what_is_added_is_found_by_name_and_id(self, catalog: Catalog, tenant: Tenant) -> None:
        assert catalog.tenants.get(tenant.name) == tenant
        assert catalog.tenants.by_id(tenant.tenant_id) == tenant
        assert tenant in catalog.tenants.user_tenants()
        assert catalog.tenants.all()[0].is_sys
        assert not any(found.is_sys for found in catalog.tenants.user_tenants())

    def test_an_auxiliary_tenant_is_hosted_and_none_of_all_tenants(self, catalog: Catalog) -> None:
        tenant_id = catalog.tenants.next_tenant_id()
        found = replace(tenant_value(tenant_id, f"aux_{tenant_id}"), purpose=TenantPurpose.AUXILIARY)
        catalog.tenants.add(found)
        assert found in catalog.tenants.hosted()
        assert found not in catalog.tenants.user_tenants()

    def test_names_are_matched_as_stored(self, catalog: Catalog, tenant: Tenant) -> None:
        assert catalog.tenants.find(tenant.name.upper()) is None
        assert code_of(lambda: catalog.tenants.get(tenant.name.upper())) is codes.OB_TENANT_NOT_EXIST

    def test_a_name_is_taken_once(self, catalog: Catalog, tenant: Tenant) -> None:
        twin = tenant_value(catalog.tenants.next_tenant_id(), tenant.name)
        assert code_of(lambda: catalog.tenants.add(twin)) is codes.OB_TENANT_EXIST

    def test_of_two_adders_of_one_name_one_is_refused(self, catalog: Catalog) -> None:
        name = f"race_{catalog.tenants.next_tenant_id()}"
        twins = [tenant_value(catalog.tenants.next_tenant_id(), name) for _ in range(4)]

        def add(twin: Tenant) -> str:
            try:
                catalog.tenants.add(twin)
            except HoldfastError as error:
                return error.code.symbol
            return "added"

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(add, twins)) == ["OB_TENANT_EXIST"] * 3 + ["added"]

    def test_ids_are_even_and_never_given_twice(self, catalog: Catalog) -> None:
        with ThreadPoolExecutor(8) as pool:
            ids = list(pool.map(lambda _: catalog.tenants.next_tenant_id(), range(24)))
        assert len(set(ids)) == 24
        assert all(tenant_id % 2 == 0 and tenant_id >= 1002 for tenant_id in ids)

    def test_update_changes_what_is_given_and_nothing_else(self, catalog: Catalog, tenant: Tenant) -> None:
        changed = catalog.tenants.update(
            tenant.tenant_id, status=TenantStatus.DROPPING, role=TenantRole.STANDBY, log_mode=LogMode.ARCHIVELOG
        )
        assert changed == replace(
            tenant,
            status=TenantStatus.DROPPING,
            role=TenantRole.STANDBY,
            log_mode=LogMode.ARCHIVELOG,
            modify_time_us=NOW_NS // 1000,
        )
        assert catalog.tenants.by_id(tenant.tenant_id) == changed

    def test_an_unknown_tenant_can_not_be_updated(self, catalog: Catalog) -> None:
        with pytest.raises(NotFoundError):
            catalog.tenants.update(4, status=TenantStatus.NORMAL)

    def test_switching_the_log_mode_tells_who_switched(self, catalog: Catalog, tenant: Tenant) -> None:
        assert catalog.tenants.switch_log_mode(tenant.tenant_id, LogMode.ARCHIVELOG)
        assert not catalog.tenants.switch_log_mode(tenant.tenant_id, LogMode.ARCHIVELOG)

    def test_scns_are_kept(self, catalog: Catalog, tenant: Tenant) -> None:
        scns = TenantScns(tenant_id=tenant.tenant_id, sync_scn=Scn(NOW_NS), readable_scn=Scn(5))
        catalog.tenants.update_scns(scns)
        assert catalog.tenants.scns(tenant.tenant_id) == scns

    def test_a_removed_tenant_frees_its_pool_and_keeps_its_sets(self, catalog: Catalog, tenant: Tenant) -> None:
        tenant_id = tenant.tenant_id
        catalog.resources.create_unit(f"u{tenant_id}", UNIT)
        catalog.resources.create_pool(f"p{tenant_id}", f"u{tenant_id}")
        catalog.resources.grant([f"p{tenant_id}"], tenant_id)
        catalog.backups.submit([job(tenant_id, 1)])
        catalog.backups.begin(job(tenant_id, 1), task(tenant_id, 1, 1), backup_set(tenant_id, 1))
        catalog.rounds.save(archive_round(tenant_id, 1), [piece(tenant_id, 1, 1)])
        catalog.tenants.remove(tenant_id)
        catalog.tenants.remove(tenant_id)
        assert catalog.tenants.find(tenant.name) is None
        assert catalog.resources.pool(f"p{tenant_id}").tenant_id is None
        assert catalog.backups.active_jobs(tenant_id=tenant_id) == ()
        assert catalog.backups.job(tenant_id, 1).status is JobStatus.CANCELED
        assert catalog.backups.backup_set(tenant_id, 1).status is SetStatus.FAILED
        assert catalog.rounds.current(tenant_id) is None
        assert [kept.status for kept in catalog.rounds.pieces(tenant_id)] == [PieceStatus.FROZEN]


class TestResources:
    def test_refusals_carry_oceanbase_codes(self, catalog: Catalog, tenant: Tenant) -> None:
        resources = catalog.resources
        unit, pool = f"u{tenant.tenant_id}", f"p{tenant.tenant_id}"
        assert code_of(lambda: resources.create_pool(pool, unit)).number == -4648
        made = resources.create_unit(unit, UNIT)
        assert code_of(lambda: resources.create_unit(unit, UNIT)).number == -4649
        assert resources.unit(unit) == made
        assert made.unit == UNIT
        assert code_of(lambda: resources.grant([pool], tenant.tenant_id)).number == -4650
        assert code_of(lambda: resources.drop_pool(pool)).number == -4650
        resources.create_pool(pool, unit)
        assert code_of(lambda: resources.create_pool(pool, unit)).number == -4651
        assert code_of(lambda: resources.drop_unit(unit)).number == -4634
        assert resources.free_unit_of([pool]) == made
        resources.grant([pool], tenant.tenant_id)
        assert code_of(lambda: resources.grant([pool], tenant.tenant_id)).number == -4626
        assert code_of(lambda: resources.free_unit_of([pool])).number == -4626
        assert code_of(lambda: resources.drop_pool(pool)).number == -4626
        granted = resources.pool_of(tenant.tenant_id)
        assert granted is not None
        assert granted.name == pool
        resources.release(tenant.tenant_id)
        assert resources.pool_of(tenant.tenant_id) is None
        resources.drop_pool(pool)
        resources.drop_unit(unit)
        assert code_of(lambda: resources.drop_unit(unit)).number == -4648

    def test_ids_of_dropped_units_are_not_given_again(self, catalog: Catalog) -> None:
        first = catalog.resources.create_unit("ephemeral", UNIT)
        catalog.resources.drop_unit("ephemeral")
        second = catalog.resources.create_unit("ephemeral", UNIT)
        catalog.resources.drop_unit("ephemeral")
        assert second.unit_config_id > first.unit_config_id >= 1001

    def test_of_two_tenants_one_gets_the_pool(self, catalog: Catalog) -> None:
        catalog.resources.create_unit("shared_unit", UNIT)
        catalog.resources.create_pool("shared_pool", "shared_unit")

        def grant(tenant_id: int) -> str:
            try:
                catalog.resources.grant(["shared_pool"], tenant_id)
            except HoldfastError as error:
                return error.code.symbol
            return "granted"

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(grant, range(8000, 8004))) == ["OB_RESOURCE_POOL_ALREADY_GRANTED"] * 3 + ["granted"]


class TestDestinations:
    DATA = parse_uri("file:///backup/data")
    ARCHIVE = parse_uri("file:///backup/archive?checksum_type=md5")

    def archive_value(self, destination: Destination) -> ArchiveDestination:
        return ArchiveDestination(
            destination=destination,
            binding=Binding.MANDATORY,
            piece_switch_interval_us=2 * 86_400_000_000,
            piece_switch_interval_text="2d",
            compression=None,
            enabled=True,
        )

    def test_a_path_keeps_its_id_and_another_gets_the_next(self, catalog: Catalog, tenant: Tenant) -> None:
        destinations, tenant_id = catalog.destinations, tenant.tenant_id
        first = destinations.reserve(tenant_id, DestinationKind.BACKUP_DATA, self.DATA)
        other = destinations.reserve(tenant_id, DestinationKind.BACKUP_DATA, parse_uri("file:///backup/DATA"))
        again = destinations.reserve(tenant_id, DestinationKind.BACKUP_DATA, self.DATA)
        assert (first.dest_id, other.dest_id, again) == (1001, 1002, first)

    def test_a_reserved_path_is_nobodys_until_it_is_set(self, catalog: Catalog, tenant: Tenant) -> None:
        uri = parse_uri(f"file:///backup/{tenant.name}")
        reserved = catalog.destinations.reserve(tenant.tenant_id, DestinationKind.BACKUP_DATA, uri)
        assert catalog.destinations.owners_of(uri) == ()
        assert catalog.destinations.data(tenant.tenant_id) is None
        catalog.destinations.set_data(reserved)
        assert catalog.destinations.owners_of(uri) == (reserved,)
        assert catalog.destinations.data(tenant.tenant_id) == reserved
        catalog.destinations.clear_data(tenant.tenant_id)
        assert catalog.destinations.data(tenant.tenant_id) is None
        assert catalog.destinations.all_of(tenant.tenant_id) == (reserved,)

    def test_where_a_path_led_is_kept_from_when_it_was_set_last(self, catalog: Catalog, tenant: Tenant) -> None:
        """By the tenant at first, then by sys, which no judgement binds. What is only reserved changes nothing."""
        destinations, tenant_id = catalog.destinations, tenant.tenant_id
        by_tenant = replace(self.DATA, resolved="/mnt/Backup/data")
        destinations.set_data(destinations.reserve(tenant_id, DestinationKind.BACKUP_DATA, by_tenant))
        for resolved in ("/elsewhere", ""):
            destinations.reserve(tenant_id, DestinationKind.BACKUP_DATA, replace(self.DATA, resolved=resolved))
            assert [one.uri.resolved for one in destinations.all_of(tenant_id)] == ["/mnt/Backup/data"]
        destinations.use(destinations.reserve(tenant_id, DestinationKind.BACKUP_DATA, self.DATA))
        assert [one.uri.resolved for one in destinations.all_of(tenant_id)] == [""]

    def test_log_archive_dest_comes_back_with_all_items(
        self, engine: SysEngine, catalog: Catalog, tenant: Tenant
    ) -> None:
        tenant_id = tenant.tenant_id
        reserved = catalog.destinations.reserve(tenant_id, DestinationKind.ARCHIVE_LOG, self.ARCHIVE)
        archive = self.archive_value(reserved)
        catalog.destinations.set_archive(archive)
        assert catalog.destinations.archive(tenant_id) == archive
        items = engine.query(
            "SELECT NAME, VALUE FROM oceanbase.CDB_OB_ARCHIVE_DEST WHERE TENANT_ID = %s ORDER BY NAME", (tenant_id,)
        )
        assert items == [
            ("binding", "MANDATORY"),
            ("dest_id", "1001"),
            ("path", "file:///backup/archive"),
            ("piece_switch_interval", "2d"),
            ("state", "ENABLE"),
        ]

    def test_setting_again_replaces_every_item(self, catalog: Catalog, tenant: Tenant) -> None:
        reserved = catalog.destinations.reserve(tenant.tenant_id, DestinationKind.ARCHIVE_LOG, self.ARCHIVE)
        catalog.destinations.set_archive(replace(self.archive_value(reserved), compression=True, enabled=False))
        catalog.destinations.set_archive(self.archive_value(reserved))
        assert catalog.destinations.archive(tenant.tenant_id) == self.archive_value(reserved)

    def test_the_state_is_set_on_a_destination_only(self, catalog: Catalog, tenant: Tenant) -> None:
        with pytest.raises(NotFoundError):
            catalog.destinations.set_archive_state(tenant.tenant_id, enabled=False)
        reserved = catalog.destinations.reserve(tenant.tenant_id, DestinationKind.ARCHIVE_LOG, self.ARCHIVE)
        catalog.destinations.set_archive(self.archive_value(reserved))
        for enabled in (False, False, True):
            catalog.destinations.set_archive_state(tenant.tenant_id, enabled=enabled)
            archive = catalog.destinations.archive(tenant.tenant_id)
            assert archive is not None
            assert archive.enabled is enabled
        catalog.destinations.clear_archive(tenant.tenant_id)
        assert catalog.destinations.archive(tenant.tenant_id) is None

    def test_storage_info_shows_the_last_check(self, engine: SysEngine, catalog: Catalog, tenant: Tenant) -> None:
        reserved = catalog.destinations.reserve(tenant.tenant_id, DestinationKind.BACKUP_DATA, self.DATA)
        catalog.destinations.use(reserved)
        catalog.destinations.record_check(reserved, "1002_connect_file_20261123T091318.obbak")
        columns = "PATH, DEST_ID, DEST_TYPE, CHECK_FILE_NAME, CAST(LAST_CHECK_TIMESTAMP AS CHAR)"
        for view in ("CDB_OB_BACKUP_STORAGE_INFO", "CDB_OB_BACKUP_STORAGE_INFO_HISTORY"):
            assert engine.query(
                f"SELECT {columns} FROM oceanbase.{view} WHERE TENANT_ID = %s", (tenant.tenant_id,)
            ) == [
                (
                    "file:///backup/data",
                    1001,
                    "backup_data",
                    "1002_connect_file_20261123T091318.obbak",
                    "2026-11-23 09:13:18.080272",
                )
            ]


class TestRounds:
    def test_a_round_and_its_pieces_come_back(self, catalog: Catalog, tenant: Tenant) -> None:
        tenant_id = tenant.tenant_id
        assert catalog.rounds.current(tenant_id) is None
        assert catalog.rounds.next_piece_id(tenant_id) == 1
        going = archive_round(tenant_id, 1)
        pieces = (piece(tenant_id, 1, 1), piece(tenant_id, 1, 2))
        catalog.rounds.save(going, pieces)
        assert catalog.rounds.current(tenant_id) == going
        assert going in catalog.rounds.unstopped()
        assert catalog.rounds.pieces(tenant_id) == pieces
        assert catalog.rounds.pieces(tenant_id, 2) == ()

    def test_saving_again_replaces(self, catalog: Catalog, tenant: Tenant) -> None:
        tenant_id = tenant.tenant_id
        catalog.rounds.save(archive_round(tenant_id, 1), [piece(tenant_id, 1, 1)])
        later = replace(archive_round(tenant_id, 1), checkpoint_scn=Scn(NOW_NS + 9), comment="log stream 1 interrupted")
        frozen = replace(piece(tenant_id, 1, 1), status=PieceStatus.FROZEN)
        catalog.rounds.save(later, [frozen])
        assert catalog.rounds.latest(tenant_id) == later
        assert catalog.rounds.pieces(tenant_id, 1) == (frozen,)

    def test_piece_ids_go_on_rising_across_rounds(self, catalog: Catalog, tenant: Tenant) -> None:
        tenant_id = tenant.tenant_id
        stopped = replace(archive_round(tenant_id, 1, RoundStatus.STOP), used_piece_id=5)
        catalog.rounds.save(stopped, [piece(tenant_id, 1, 1)])
        assert catalog.rounds.next_piece_id(tenant_id) == 6
        second = replace(archive_round(tenant_id, 2), base_piece_id=6, used_piece_id=6)
        catalog.rounds.save(second)
        assert catalog.rounds.current(tenant_id) == second
        assert catalog.rounds.summary(tenant_id) == (stopped, second)

    def test_round_ids_are_given_once(self, catalog: Catalog, tenant: Tenant) -> None:
        assert [catalog.rounds.next_round_id(tenant.tenant_id) for _ in range(3)] == [1, 2, 3]


class TestBackups:
    def test_jobs_tasks_and_sets_come_back_as_they_were(self, catalog: Catalog, tenant: Tenant) -> None:
        tenant_id = tenant.tenant_id
        catalog.backups.submit([job(tenant_id, 1)])
        doing = replace(job(tenant_id, 1), status=JobStatus.DOING, executor_tenant_ids=(tenant_id, 4))
        assert catalog.backups.begin(doing, task(tenant_id, 1, 1), backup_set(tenant_id, 1)) == doing
        assert catalog.backups.job(tenant_id, 1) == doing
        assert catalog.backups.tasks(tenant_id, 1) == (task(tenant_id, 1, 1),)
        assert catalog.backups.sets(tenant_id) == (backup_set(tenant_id, 1),)
        assert catalog.backups.sets(tenant_id, 1002) == ()

    def test_ids_are_given_once_whatever_the_number_of_threads(self, catalog: Catalog, tenant: Tenant) -> None:
        for take in (catalog.backups.next_job_id, catalog.backups.next_task_id, catalog.backups.next_set_id):
            with ThreadPoolExecutor(8) as pool:
                ids = list(pool.map(take, [tenant.tenant_id] * 24))
            assert sorted(ids) == list(range(1, 25))

    def test_of_two_submits_one_is_refused(self, catalog: Catalog, tenant: Tenant) -> None:
        def submit(job_id: int) -> str:
            try:
                catalog.backups.submit([job(tenant.tenant_id, job_id)])
            except HoldfastError as error:
                return error.code.symbol
            return "submitted"

        with ThreadPoolExecutor(4) as pool:
            answers = sorted(pool.map(submit, range(1, 5)))
        assert answers == ["OB_BACKUP_IN_PROGRESS"] * 3 + ["submitted"]

    def test_a_refused_submit_leaves_no_row(self, catalog: Catalog, tenant: Tenant) -> None:
        second = tenant_value(catalog.tenants.next_tenant_id(), f"second_{tenant.tenant_id}")
        catalog.tenants.add(second)
        catalog.backups.submit([job(second.tenant_id, 1)])
        both = [job(tenant.tenant_id, 1), job(second.tenant_id, 2)]
        assert code_of(lambda: catalog.backups.submit(both)) is codes.OB_BACKUP_IN_PROGRESS
        assert catalog.backups.active_jobs(tenant_id=tenant.tenant_id) == ()

    def test_children_are_found_by_their_parent(self, catalog: Catalog, tenant: Tenant) -> None:
        parent_id = catalog.backups.next_job_id(1)
        parent = replace(job(1, parent_id), initiator_job_id=parent_id, job_level=JobLevel.SYS_TENANT)
        child = replace(job(tenant.tenant_id, 1), initiator_tenant_id=1, initiator_job_id=parent_id)
        catalog.backups.submit([parent, child])
        assert catalog.backups.children(parent) == (child,)
        assert catalog.backups.active_jobs(initiator_tenant_id=1) == (parent, child)
        catalog.backups.finish(replace(child, status=JobStatus.COMPLETED, end_timestamp_us=START_US))
        assert catalog.backups.active_jobs(initiator_tenant_id=1) == ()

    def test_a_requested_cancel_survives_the_workers_update(self, catalog: Catalog, tenant: Tenant) -> None:
        tenant_id = tenant.tenant_id
        doing = replace(job(tenant_id, 1), status=JobStatus.DOING)
        catalog.backups.submit([doing])
        catalog.backups.insert_task(task(tenant_id, 1, 1))
        assert not catalog.backups.cancel_requested(tenant_id, 1)
        assert catalog.backups.request_cancel(tenant_id, 1)
        assert catalog.backups.cancel_requested(tenant_id, 1)
        stored = catalog.backups.update_job(replace(doing, comment="halfway"))
        assert (stored.status, stored.cancel_requested, stored.comment) == (JobStatus.CANCELING, True, "halfway")
        assert catalog.backups.update_task(task(tenant_id, 1, 1)).status is TaskStatus.CANCELING
        catalog.backups.finish(
            replace(doing, status=JobStatus.CANCELED, end_timestamp_us=START_US, result=codes.OB_CANCELED.number)
        )
        ended = catalog.backups.job(tenant_id, 1)
        assert (ended.status, ended.result, ended.cancel_requested) == (JobStatus.CANCELED, -4072, True)
        assert not catalog.backups.request_cancel(tenant_id, 1)

    def test_an_ended_job_never_changes_again(self, catalog: Catalog, tenant: Tenant) -> None:
        going = job(tenant.tenant_id, 1)
        catalog.backups.submit([going])
        failed = replace(going, status=JobStatus.FAILED, end_timestamp_us=START_US, result=-9027)
        catalog.backups.finish(failed)
        with pytest.raises(ConflictError):
            catalog.backups.update_job(going)
        with pytest.raises(ConflictError):
            catalog.backups.finish(replace(failed, status=JobStatus.COMPLETED))
        assert catalog.backups.job(tenant.tenant_id, 1) == failed

    def test_rows_of_a_dead_generation_are_claimed_once(self, catalog: Catalog, tenant: Tenant) -> None:
        catalog.backups.submit([job(tenant.tenant_id, 1)])
        first = catalog.backups.claim(tenant.tenant_id, 1, 5)
        assert first is not None
        assert (first.owner_generation, first.attempt) == (5, 1)
        assert first not in catalog.backups.orphans(5)
        assert first in catalog.backups.orphans(6)
        with ThreadPoolExecutor(4) as pool:
            claims = list(pool.map(lambda _: catalog.backups.claim(tenant.tenant_id, 1, 6), range(4)))
        assert [claim.attempt for claim in claims if claim is not None] == [2]


class TestRestores:
    def test_two_restores_into_one_name_are_refused(self, catalog: Catalog) -> None:
        target = catalog.tenants.next_tenant_id()
        name = f"restored_{target}"
        rows = [restore(1, catalog.restores.next_job_id(1), name, target), restore(target, 1, name, target)]
        catalog.restores.insert(rows)
        again = restore(1, catalog.restores.next_job_id(1), name, target)
        assert code_of(lambda: catalog.restores.insert([again])) is codes.OB_TENANT_EXIST
        assert catalog.restores.active_by_name(name) == tuple(rows)
        assert set(rows) <= set(catalog.restores.orphans(1))
        assert catalog.restores.request_cancel(name)
        catalog.restores.update(*(replace(row, comment="told to end") for row in rows))
        assert catalog.restores.cancel_requested(target, 1)
        ended = [replace(row, status=RestoreStatus.RESTORE_FAIL, finish_timestamp_us=START_US) for row in rows]
        catalog.restores.finish(*ended)
        assert catalog.restores.active_by_name(name) == ()
        assert not catalog.restores.request_cancel(name)
        with pytest.raises(ConflictError):
            catalog.restores.update(rows[1])
        catalog.restores.insert([again])
        catalog.restores.finish(replace(again, status=RestoreStatus.RESTORE_SUCCESS, finish_timestamp_us=START_US))


class TestParameterValues:
    def test_a_value_hides_the_default_until_it_is_reset(self, catalog: Catalog, tenant: Tenant) -> None:
        parameters, tenant_id = catalog.parameters, tenant.tenant_id
        parameters.define(
            [ParameterDefinition(name="ha_low_thread_score", data_type="INT", default_value="0", info="weight")]
        )
        assert parameters.get(tenant_id, "ha_low_thread_score") == "0"
        parameters.set(tenant_id, "HA_LOW_THREAD_SCORE", "10")
        assert parameters.get(tenant_id, "ha_low_thread_score") == "10"
        assert parameters.values(tenant_id) == {"ha_low_thread_score": "10"}
        parameters.reset(tenant_id, "ha_low_thread_score")
        assert parameters.get(tenant_id, "ha_low_thread_score") == "0"

    def test_an_unknown_name_is_refused(self, catalog: Catalog, tenant: Tenant) -> None:
        parameters, tenant_id = catalog.parameters, tenant.tenant_id
        for call in (
            lambda: parameters.get(tenant_id, "nonsense"),
            lambda: parameters.set(tenant_id, "nonsense", "1"),
            lambda: parameters.reset(tenant_id, "nonsense"),
        ):
            assert code_of(call) is codes.OB_ERR_SYS_CONFIG_UNKNOWN
