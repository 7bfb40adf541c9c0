"""One SQL transaction, seen through the stages' ports; it commits with audit entries, or not."""

import os

from sqlalchemy import Connection, delete, select, update

from nightlight.adapters.sql import schema
from nightlight.adapters.sql.audit import SqlAuditLog
from nightlight.adapters.sql.banks import EMPTIED, SqlBankStore
from nightlight.adapters.sql.cases import SqlCaseStore, SqlEvidenceStore
from nightlight.adapters.sql.context import SqlContextStore
from nightlight.adapters.sql.custody import SqlViewLog
from nightlight.adapters.sql.decisions import SqlDecisionStore, SqlSignalStore
from nightlight.adapters.sql.engagements import SqlEngagementStore
from nightlight.adapters.sql.events import SqlEventLog
from nightlight.adapters.sql.exchanges import SqlExchangeStore
from nightlight.adapters.sql.figures import SqlFigures
from nightlight.adapters.sql.heartbeats import SqlHeartbeats
from nightlight.adapters.sql.holds import SqlCustodyStore
from nightlight.adapters.sql.hunts import SqlHuntStore
from nightlight.adapters.sql.kept_posts import SqlKeptPostStore
from nightlight.adapters.sql.lexicons import SqlLexiconChangeStore, SqlLexiconStore
from nightlight.adapters.sql.links import SqlLinkStore
from nightlight.adapters.sql.lists import SqlPolicyStore
from nightlight.adapters.sql.offer_weights import SqlWeightsStore
from nightlight.adapters.sql.outbox import SqlOutbox
from nightlight.adapters.sql.report_decisions import SqlReportDecisionStore
from nightlight.adapters.sql.rows import Row, add_all, put_over, to_us
from nightlight.adapters.sql.sealed_values import SqlSealedValues
from nightlight.adapters.sql.statements import SqlStatementStore
from nightlight.adapters.sql.tips import SqlTips
from nightlight.adapters.sql.tokens import SqlApiTokens
from nightlight.adapters.sql.word_uses import SqlWordUseStore
from nightlight.audit.chain import SALT_BYTES, link
from nightlight.audit.clock import Clock
from nightlight.errors import IntegrityFailure
from nightlight.model.audit import AuditEntry
from nightlight.model.filing import Line
from nightlight.preserve.ports import KeyRing


class SqlTransaction:
    """Everything that is kept, on one connection."""

    def __init__(
        self, *, connection: Connection, clock: Clock, keys: KeyRing, line: Line, writable: bool
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._writable = writable
        self.committed = False
        self.events = SqlEventLog(connection, keys)
        self.context = SqlContextStore(connection, keys)
        self.signals = SqlSignalStore(connection)
        self.decisions = SqlDecisionStore(connection, clock)
        self.outbox = SqlOutbox(connection)
        self.cases = SqlCaseStore(connection, writable=writable)
        self.evidence = SqlEvidenceStore(connection, keys, self.events)
        self.kept_posts = SqlKeptPostStore(connection)
        self.views = SqlViewLog(connection)
        self.custody = SqlCustodyStore(connection, self.cases, self.kept_posts, self.events)
        self.sealed = SqlSealedValues(connection, keys)
        self.banks = SqlBankStore(connection, keys)
        self.exchanges = SqlExchangeStore(connection, keys)
        self.lexicons = SqlLexiconStore(connection, keys)
        self.lexicon_changes = SqlLexiconChangeStore(connection, keys)
        self.policies = SqlPolicyStore(connection)
        self.offer_weights = SqlWeightsStore(connection)
        self.tips = SqlTips(connection, keys, line)
        self.report_decisions = SqlReportDecisionStore(connection, keys, line)
        self.tokens = SqlApiTokens(connection)
        self.engagements = SqlEngagementStore(connection)
        self.hunts = SqlHuntStore(connection)
        self.links = SqlLinkStore(connection, keys)
        self.word_uses = SqlWordUseStore(connection, keys)
        self.statements = SqlStatementStore(connection, keys)
        self.heartbeats = SqlHeartbeats(connection)
        self.figures = SqlFigures(connection, self.events)
        self.audit = SqlAuditLog(connection)

    def commit(self, first: AuditEntry, *more: AuditEntry) -> None:
        """Store everything done in this transaction together with what the record says of it.

        Raises:
            IntegrityFailure: the transaction was begun for reading, or committed before.
        """
        self._check_open()
        self._append((first, *more))
        self._connection.commit()
        self.committed = True

    def commit_unrecorded(self) -> None:
        """Store housekeeping that changes nothing anybody decides by: leases and heartbeats.

        Raises:
            IntegrityFailure: the transaction was begun for reading, or committed before.
        """
        self._check_open()
        self._connection.commit()
        self.committed = True

    def _check_open(self) -> None:
        if not self._writable or self.committed:
            raise IntegrityFailure("this transaction cannot be committed")

    def _append(self, entries: tuple[AuditEntry, ...]) -> None:
        head = schema.audit_head
        found = self._connection.execute(
            select(head.c.seq, head.c.hash).where(head.c.id == 1).with_for_update()
        ).one_or_none()
        if found is None:
            raise IntegrityFailure("the record has lost its head", hint="`nightlight audit verify`")
        seq, previous = found.seq, found.hash
        at_us = to_us(self._clock.now())
        rows: list[Row] = []
        for entry in entries:
            seq += 1
            salt = os.urandom(SALT_BYTES)
            stored = link(entry, seq=seq, at_us=at_us, previous=previous, salt=salt)
            previous = stored.hash
            rows.append(stored._asdict())
        add_all(self._connection, schema.audit_entry, rows)
        change = update(head).where(head.c.id == 1).values(seq=seq, hash=previous)
        self._connection.execute(change)

    def forget_banks(self) -> None:
        """Delete every bank and exchange and what is remembered of them: for test hooks alone."""
        for table in (
            schema.bank,
            schema.bank_content,
            schema.bank_entry,
            schema.bank_entry_past,
            schema.bank_version,
            schema.exchange,
            schema.vote,
        ):
            self._connection.execute(delete(table))
        numbers = schema.counter.c.name.in_(["bank_numbers", "bank_contents"])
        self._connection.execute(update(schema.counter).where(numbers).values(value=0))
        emptied = {"name": EMPTIED, "value": self.banks.next_version()}
        put_over(self._connection, schema.counter, [emptied])

    def lists_version(self) -> tuple[int, int, int]:
        """Return numbers that change when banks, lexicons or the policy change."""
        table = schema.counter
        names = ("banks", "lexicons", "policies")
        rows = self._connection.execute(
            select(table.c.name, table.c.value).where(table.c.name.in_(names))
        )
        found = {row.name: row.value for row in rows}
        return (found.get("banks", 0), found.get("lexicons", 0), found.get("policies", 0))
