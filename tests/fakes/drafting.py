"""What drafts tips: over services, or over a database whose cases have nothing sealed."""

from tests.fakes.blobs import MemoryBlobs

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.preserve.ports import KeyRing
from nightlight.preserve.vault import Vault
from nightlight.services import Services
from nightlight.services.drafting import Drafting
from nightlight.services.sealed_machines import SealedMachines


def drafting_of(services: Services, *, platform_country: str = "") -> Drafting:
    """Return what drafts tips as these services do."""
    machines = SealedMachines(unit_of_work=services.unit_of_work, vault=services.vault)
    return Drafting(
        platform_name="Zorbleflux",
        classify=False,
        machines=machines,
        platform_country=platform_country,
    )


def empty_vault(unit_of_work: SqlUnitOfWork, keys: KeyRing) -> SealedMachines:
    """Return what finds nothing sealed."""
    return SealedMachines(unit_of_work=unit_of_work, vault=Vault(blobs=MemoryBlobs(), keys=keys))
