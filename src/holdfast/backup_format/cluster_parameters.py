"""What BACKUP CLUSTER PARAMETERS writes: every tenant's parameters at one moment. Promised in docs/format.md, section 6.1."""

from dataclasses import dataclass

from holdfast.backup_format.document import VALUE_CHARACTERS_MAX, Fields, Json, decode_document, encode_document
from holdfast.backup_format.owner_record import owner_fields, owner_of
from holdfast.values.buffers import Buffer
from holdfast.values.owner import Owner
from holdfast.values.scn import Scn
from holdfast.values.tenant import CompatibilityMode

KIND = "holdfast cluster parameters"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterValue:
    """One parameter as SHOW PARAMETERS printed it."""

    name: str
    value: str
    default_value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantParameters:
    """One tenant's parameters, sorted by name."""

    tenant_id: int
    tenant_name: str
    compatibility_mode: CompatibilityMode
    parameters: tuple[ParameterValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterParameters:
    """The parameters of a cluster; `tenants` sorted by id, sys first. `scn`: when they were read."""

    cluster_name: str
    cluster_id: int
    scn: Scn
    tenants: tuple[TenantParameters, ...]
    owner: Owner | None = None


def encode_cluster_parameters(taken: ClusterParameters) -> bytes:
    """Return the document's text, decoded again and found equal."""
    tenants: list[Json] = [
        {
            "tenant_id": tenant.tenant_id,
            "tenant_name": tenant.tenant_name,
            "compatibility_mode": tenant.compatibility_mode,
            "parameters": [
                {"name": one.name, "value": one.value, "default_value": one.default_value} for one in tenant.parameters
            ],
        }
        for tenant in taken.tenants
    ]
    text = encode_document(
        KIND,
        {
            "cluster_name": taken.cluster_name,
            "cluster_id": taken.cluster_id,
            "scn": taken.scn.text(),
            "tenants": tenants,
            **owner_fields(taken.owner),
        },
    )
    assert decode_cluster_parameters(text) == taken
    return text


def decode_cluster_parameters(buffer: Buffer, *, name: str = "cluster_parameters") -> ClusterParameters:
    """Return the parameters. Raises CorruptionError (wrong digest or field), UnknownVersionError."""
    fields = decode_document(buffer, kind=KIND, name=name)
    return ClusterParameters(
        cluster_name=fields.name("cluster_name"),
        cluster_id=fields.integer("cluster_id"),
        scn=fields.scn("scn"),
        tenants=tuple(_tenant_of(item) for item in fields.parts("tenants")),
        owner=owner_of(fields),
    )


def _tenant_of(fields: Fields) -> TenantParameters:
    return TenantParameters(
        tenant_id=fields.integer("tenant_id", least=1),
        tenant_name=fields.name("tenant_name"),
        compatibility_mode=fields.choice("compatibility_mode", CompatibilityMode),
        parameters=tuple(
            ParameterValue(
                name=one.name("name"),
                value=one.text("value", most=VALUE_CHARACTERS_MAX),
                default_value=one.text("default_value", most=VALUE_CHARACTERS_MAX),
            )
            for one in fields.parts("parameters")
        ),
    )
