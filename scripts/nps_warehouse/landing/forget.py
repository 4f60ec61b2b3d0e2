"""Takes forgotten customers out of delivered rows before they are part of the warehouse.

Answers, contacts and invitations stay, without their customer; an answer also loses its comment. Of
what is keyed by the customer only the row's place stays, so that it can be counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import duckdb

from nps_warehouse.landing import sql
from nps_warehouse.landing.contract import LINE_ERROR, Table
from nps_warehouse.privacy.suppression import Suppression

FORGOTTEN = "forgotten"
"""Stands as `_line_error` of a row that was emptied (macro left_out_reason)."""

LINKS = "_forgotten_links"
"""Digests of the keys of contacts, invitations and answers that were a forgotten customer's: their
own rows do not say so any more, and an answer that is delivered later must lose its comment."""

# Tables that keep their rows, with their key; and those whose rows are the customer's own.
LINKED = {
    "contacts": "contact_id",
    "survey_invitations": "invitation_id",
    "survey_responses": "response_id",
}
OWNED = ("customers", "customer_revenue")
TABLES = (*LINKED, *OWNED)

# As macro blank_characters has them (a test compares).
BLANKS = (
    r"\x{00}-\x{20}\x{85}\x{A0}\x{1680}\x{180E}\x{2000}-\x{200F}\x{2028}\x{2029}\x{202F}"
    r"\x{205F}-\x{2064}\x{3000}\x{FEFF}"
)

_DIGESTS = "_nps_suppressed"
_RESPONSES = "_nps_forgotten_responses"
_BLOCK = 64


def trimmed(text: str) -> str:
    """SQL of a key as the contract reads it; null where nothing is left.

    Args:
        text: SQL of the delivered key.
    """
    return f"nullif(regexp_replace({text}, '^[{BLANKS}]+|[{BLANKS}]+$', '', 'g'), '')"


class Forgetting:
    """Empties the rows of forgotten customers; keep it for one landing."""

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, schema: str, suppression: Suppression
    ) -> None:
        """Prepare on a cursor.

        Args:
            cursor: where the rows are; a transaction is under way.
            schema: quoted name of schema `raw`.
            suppression: who is to be forgotten.
        """
        self.cursor = cursor
        self.links = f"{schema}.{sql.name(LINKS)}"
        # HMAC of RFC 2104 with SQL's own hash; the salt stays in values, out of any text that is
        # stored or logged.
        key = suppression.salt
        if len(key) > _BLOCK:
            key = hashlib.sha256(key).digest()
        key = key.ljust(_BLOCK, b"\0")
        cursor.execute("set variable nps_inner = ?::blob", [bytes(byte ^ 0x36 for byte in key)])
        cursor.execute("set variable nps_outer = ?::blob", [bytes(byte ^ 0x5C for byte in key)])
        cursor.execute(f"create or replace temp table {_DIGESTS} (digest varchar)")
        cursor.execute(
            f"insert into temp.{_DIGESTS} select unnest(?::varchar[])",
            [sorted(suppression.digests)],
        )
        cursor.execute(
            f"create table if not exists {self.links} (table_name varchar, key_digest varchar)"
        )

    def apply(self, tables: Sequence[Table], relations: Mapping[str, Sequence[str]]) -> None:
        """Empty what is to be forgotten.

        Args:
            tables: the contract.
            relations: quoted names of the tables with the rows of each raw table, old and new.
        """
        for table in ("contacts", "survey_invitations"):
            for relation in relations.get(table, ()):
                self._remember(table, relation, self._is_suppressed("customer_id"))
                self.cursor.execute(
                    f"update {relation} set customer_id = null "
                    f"where {self._is_suppressed('customer_id')}"
                )
        self._forget_responses(relations.get("survey_responses", ()))
        for owned in tables:
            if owned.name in OWNED:
                for relation in relations.get(owned.name, ()):
                    self._empty(owned, relation)
        self.cursor.execute(f"drop table temp.{_DIGESTS}")
        for name in ("nps_inner", "nps_outer"):
            self.cursor.execute(f"reset variable {name}")

    def _empty(self, table: Table, relation: str) -> None:
        emptied = ", ".join(f"{sql.name(column)} = null" for column in table.column_names)
        self.cursor.execute(
            f"update {relation} set {emptied}, {sql.name(LINE_ERROR)} = {sql.text(FORGOTTEN)} "
            f"where {self._is_suppressed('customer_id')}"
        )

    def _forget_responses(self, relations: Sequence[str]) -> None:
        own = self._is_suppressed("customer_id")
        # The answer's customer, else its contact's, else its invitation's; and every version of it.
        linked = (
            f"({trimmed('customer_id')} is null and ({self._is_linked('contacts', 'contact_id')} "
            f"or {self._is_linked('survey_invitations', 'invitation_id')}))"
        )
        for relation in relations:
            self._remember("survey_responses", relation, f"({own} or {linked})")
        for relation in relations:
            self.cursor.execute(
                f"update {relation} set customer_id = null, comment = null "
                f"where {own} or {linked} or {self._is_linked('survey_responses', 'response_id')}"
            )

    def _remember(self, table: str, relation: str, condition: str) -> None:
        key = self._digest(table, LINKED[table])
        self.cursor.execute(
            f"insert into {self.links} select {sql.text(table)}, key_digest from ("
            f"select {key} as key_digest from {relation} where {condition} group by 1) "
            f"where key_digest is not null and key_digest not in ("
            f"select key_digest from {self.links} where table_name = {sql.text(table)})"
        )

    def _is_suppressed(self, column: str) -> str:
        digest = self._hmac(trimmed(column))
        return f"coalesce({digest} in (select digest from temp.{_DIGESTS}), false)"

    def _is_linked(self, table: str, column: str) -> str:
        return (
            f"coalesce({self._digest(table, column)} in (select key_digest from {self.links} "
            f"where table_name = {sql.text(table)}), false)"
        )

    def _digest(self, table: str, column: str) -> str:
        # A contact and an answer with the same key are not the same.
        return self._hmac(f"{sql.text(table + ':')} || {trimmed(column)}")

    @staticmethod
    def _hmac(text: str) -> str:
        return (
            f"sha256(getvariable('nps_outer') || unhex(sha256(getvariable('nps_inner') || "
            f"encode({text}))))"
        )
