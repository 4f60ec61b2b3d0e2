"""Facts and nps_by_period in Polars: ``python -m … RAW_DIR SEEDS_DIR FOLDER``.

What a team would write that keeps its warehouse in data frames. The rules are those of the models
at the defaults of every var; of the marts, it makes the contacts, the answers and the score of
every period. The benchmark compares them with the project's.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from nps_warehouse.benchmark.floor import files

TABLES = ("fct_contacts", "fct_survey_responses", "nps_by_period")
"""What is made, a Parquet file each."""

# The blanks that staging trims.
_BLANKS = "".join(
    chr(code)
    for first, last in (
        *((0x00, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x180E, 0x180E)),
        *((0x2000, 0x200F), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x2064)),
        *((0x3000, 0x3000), (0xFEFF, 0xFEFF)),
    )
    for code in range(first, last + 1)
)
_FIRST, _LAST = pl.datetime(2000, 1, 1), pl.datetime(2100, 1, 1)
_SURVEY_CHANNELS = ["email", "sms", "ivr", "web", "in_app"]
_MASKS = (
    (r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)+", "[e-mail]"),
    (r"[A-Z]{2}[0-9]{2}([ ]?[A-Z0-9]{4}){2,7}([ ]?[A-Z0-9]{1,4})?", "[iban]"),
    (r"[2-6][0-9]{3}([ -]?[0-9]{4}){3}|3[47][0-9]{13}", "[card]"),
    (r"[+(]{0,2}[0-9]([ ./()-]{0,3}[0-9]){6,}", "[phone]"),
)
_Z = 1.959963984540054


def _clean(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars(_BLANKS)
    return pl.when(text != "").then(text).alias(column)


def _word(column: str) -> pl.Expr:
    return _clean(column).str.to_lowercase()


def _possible(column: str) -> pl.Expr:
    return pl.when(pl.col(column).is_between(_FIRST, _LAST)).then(pl.col(column)).alias(column)


def _at_least_0(column: str, type_: type[pl.DataType]) -> pl.Expr:
    return pl.when(pl.col(column) >= 0).then(pl.col(column)).cast(type_).alias(column)


def _one_of(column: str, words: list[str]) -> pl.Expr:
    return pl.when(_word(column).is_in(words)).then(_word(column)).alias(column)


def _newest(rows: pl.LazyFrame, key: str) -> pl.LazyFrame:
    """One row per key: the newest updated_at, then the later row. Only repeated keys are sorted."""
    repeated = rows.group_by(key).agg(pl.len().alias("_times")).filter(pl.col("_times") > 1)
    versions = rows.join(repeated.select(key), on=key, how="semi")
    newest = versions.sort("updated_at", "_row", descending=True, nulls_last=True).unique(
        key, keep="first", maintain_order=True
    )
    older = versions.select("_row").join(newest.select("_row"), on="_row", how="anti")
    return rows.join(older, on="_row", how="anti").drop("_row")


def _scan(raw_dir: Path, table: str) -> pl.LazyFrame:
    return pl.scan_parquet(files(raw_dir, table), row_index_name="_row")


def _responses(raw_dir: Path, seeds_dir: Path) -> pl.LazyFrame:
    categories = pl.scan_csv(seeds_dir / "nps_categories.csv").with_columns(
        pl.col("score").cast(pl.Int64)
    )
    excluded = pl.scan_csv(seeds_dir / "excluded_responses.csv", infer_schema=False)
    languages = pl.read_csv(seeds_dir / "languages.csv", infer_schema=False)["code"].to_list()
    comment = pl.col("comment")
    for pattern, mask in _MASKS:
        comment = comment.str.replace_all(pattern, mask)
    may_be_personal = pl.col("comment").str.contains("@|([0-9][^0-9]{0,3}){6}")
    rows = _scan(raw_dir, "survey_responses").select(
        "_row",
        _clean("response_id"),
        pl.col("score"),
        _possible("responded_at"),
        _word("survey_type"),
        *(_clean(f"{name}_id") for name in ("survey", "invitation", "contact", "customer")),
        _one_of("survey_channel", _SURVEY_CHANNELS),
        *(
            pl.when(pl.col(name).is_between(1, most)).then(pl.col(name)).alias(name)
            for name, most in (("csat_score", 5), ("effort_score", 7))
        ),
        pl.when(_clean("comment").is_not_null())
        .then(pl.when(may_be_personal).then(comment).otherwise(pl.col("comment")))
        .alias("comment"),
        _one_of("language", languages),
        _word("status"),
        _word("is_test"),
        _possible("updated_at"),
    )
    read = rows.join(categories, on="score", how="left").filter(
        pl.col("response_id").is_not_null(),
        pl.col("responded_at").is_not_null(),
        pl.col("status").is_in(["complete", "partial", "dismissed"]).fill_null(True),
        pl.col("is_test").is_in(["true", "yes", "1", "false", "no", "0"]).fill_null(True),
        pl.col("survey_type").is_in(["transactional", "relational"]).fill_null(True),
        pl.col("category").is_not_null() | (pl.col("status") == "dismissed").fill_null(False),
    )
    return (
        _newest(read, "response_id")
        .filter(
            (pl.col("status") != "dismissed").fill_null(True),
            pl.col("is_test").is_in(["true", "yes", "1"]).not_().fill_null(True),
        )
        .join(excluded.select("response_id"), on="response_id", how="anti")
        .with_columns(
            pl.coalesce(
                "survey_type",
                pl.when(pl.col("contact_id").is_null())
                .then(pl.lit("relational"))
                .otherwise(pl.lit("transactional")),
            ).alias("survey_type"),
            pl.col("status").fill_null("complete"),
            pl.col("category").alias("nps_category"),
            pl.col("responded_at").dt.date().alias("response_date"),
        )
    )


def _small(raw_dir: Path, table: str, columns: list[str]) -> pl.LazyFrame:
    return _scan(raw_dir, table).select("_row", *(_clean(column) for column in columns))


def _contacts(raw_dir: Path, seeds_dir: Path, responses: pl.LazyFrame) -> pl.LazyFrame:
    departments = _newest(
        _small(raw_dir, "departments", ["department_id", "site", "updated_at"]).filter(
            pl.col("department_id").is_not_null()
        ),
        "department_id",
    )
    customers = _customers(raw_dir)
    aliases = (
        pl.scan_csv(seeds_dir / "channel_aliases.csv", infer_schema=False)
        .select(_word("alias"), _clean("channel").alias("mapped"))
        .group_by("alias")
        .agg(pl.col("mapped").min())
    )
    assignments = (
        _small(raw_dir, "agent_assignments", ["agent_id", "team", "valid_from", "valid_to"])
        .sort("_row")
        .unique(["agent_id", "valid_from"], keep="last", maintain_order=True)
        .with_columns(
            pl.col("valid_from").str.to_datetime("%Y-%m-%d", time_unit="us", strict=False),
            pl.col("valid_to").str.to_datetime("%Y-%m-%d", time_unit="us", strict=False),
        )
        .sort("valid_from")
    )
    rows = _scan(raw_dir, "contacts").select(
        "_row",
        *(_clean(f"{name}_id") for name in ("contact", "department", "agent", "customer")),
        *(_clean(name) for name in ("channel", "reason", "product_line", "site")),
        *(_possible(name) for name in ("started_at", "ended_at", "updated_at")),
        *(_at_least_0(f"{name}_seconds", pl.Float64) for name in ("queue", "hold", "handle")),
        _at_least_0("transfers", pl.Int64),
        pl.col("is_resolved"),
    )
    accepted = _newest(
        rows.filter(
            pl.col("contact_id").is_not_null(),
            pl.col("started_at").is_not_null(),
            (pl.col("ended_at") >= pl.col("started_at")).fill_null(True),
        ),
        "contact_id",
    )
    latest = (
        responses.filter(pl.col("contact_id").is_not_null())
        .group_by("contact_id")
        .agg(
            pl.len().cast(pl.Int64).alias("responses"),
            pl.col("response_id", "nps_category").sort_by("responded_at", "response_id").last(),
        )
    )
    unknown = pl.lit("unknown")
    return (
        accepted.join(
            departments.select(
                "department_id", pl.lit(True).alias("_known"), pl.col("site").alias("_site")
            ),
            on="department_id",
            how="left",
        )
        .join(customers, on="customer_id", how="left")
        .with_columns(pl.col("channel").str.to_lowercase().alias("alias"))
        .join(aliases, on="alias", how="left")
        .sort("started_at")
        .join_asof(
            assignments,
            left_on="started_at",
            right_on="valid_from",
            by="agent_id",
            check_sortedness=False,
        )
        .join(latest, on="contact_id", how="left")
        .select(
            "contact_id",
            pl.when(pl.col("_known"))
            .then(pl.col("department_id"))
            .otherwise(unknown)
            .alias("department_id"),
            pl.col("department_id").alias("source_department_id"),
            pl.coalesce("mapped", "channel", unknown).alias("channel"),
            pl.col("channel").alias("source_channel"),
            pl.col("agent_id").fill_null(unknown),
            pl.col("agent_id").alias("source_agent_id"),
            pl.when((pl.col("started_at") < pl.col("valid_to")).fill_null(True))
            .then(pl.col("team"))
            .fill_null(unknown)
            .alias("team"),
            pl.col("customer_id").fill_null(unknown),
            pl.col("customer_id").alias("source_customer_id"),
            pl.col("segment").fill_null(unknown),
            pl.col("reason").fill_null(unknown).alias("contact_reason"),
            pl.col("reason").alias("source_contact_reason"),
            pl.coalesce("product_line", "customer_product_line", unknown).alias("product_line"),
            pl.col("product_line").alias("source_product_line"),
            pl.coalesce("site", "_site", unknown).alias("site"),
            pl.col("site").alias("source_site"),
            "started_at",
            "ended_at",
            pl.col("started_at").dt.date().alias("contact_date"),
            pl.col("started_at").dt.weekday().cast(pl.Int32).alias("contact_weekday"),
            pl.col("started_at").dt.hour().cast(pl.Int32).alias("contact_hour"),
            *("queue_seconds", "hold_seconds", "handle_seconds", "transfers", "is_resolved"),
            pl.col("responses").fill_null(0),
            "response_id",
            "nps_category",
        )
    )


def _customers(raw_dir: Path) -> pl.LazyFrame:
    rows = _scan(raw_dir, "customers").select(
        "_row",
        _clean("customer_id"),
        _clean("segment").fill_null("unknown"),
        _clean("product_line").fill_null("unknown").alias("customer_product_line"),
        _possible("updated_at"),
    )
    kept = _newest(rows.filter(pl.col("customer_id").is_not_null()), "customer_id")
    return kept.drop("updated_at")


def _invitations(raw_dir: Path) -> pl.LazyFrame:
    rows = _scan(raw_dir, "survey_invitations").select(
        "_row",
        _clean("invitation_id"),
        _word("survey_type"),
        _clean("contact_id"),
        _possible("sent_at"),
        _word("status"),
        _possible("updated_at"),
    )
    statuses = ["sent", "delivered", "opened", "responded", "bounced", "opted_out"]
    read = rows.filter(
        pl.col("invitation_id").is_not_null(),
        pl.col("status").is_in(statuses).fill_null(True),
        pl.col("survey_type").is_in(["transactional", "relational"]).fill_null(True),
    )
    return _newest(read, "invitation_id").with_columns(
        pl.coalesce(
            "survey_type",
            pl.when(pl.col("contact_id").is_null())
            .then(pl.lit("relational"))
            .otherwise(pl.lit("transactional")),
        ).alias("survey_type")
    )


def _facts(
    responses: pl.LazyFrame, contacts: pl.LazyFrame, invitations: pl.LazyFrame, raw_dir: Path
) -> pl.LazyFrame:
    unknown = pl.lit("unknown")
    of_contact = contacts.drop("responses", "response_id", "nps_category", "segment").rename(
        {"contact_id": "known_contact_id", "customer_id": "shown_customer_id"}
    )
    contribution = pl.col("nps_category").replace_strict(
        {"promoter": 1, "passive": 0, "detractor": -1}, return_dtype=pl.Int32
    )
    answered_by = pl.coalesce("customer_id", "source_customer_id")
    return (
        responses.rename({"invitation_id": "source_invitation_id", "survey_id": "source_survey_id"})
        .with_columns(pl.col("contact_id").alias("source_contact_id"))
        .join(
            of_contact.with_columns(pl.col("known_contact_id").alias("contact_id")),
            on="contact_id",
            how="left",
        )
        .join(
            invitations.select(
                pl.col("invitation_id"), pl.col("invitation_id").alias("source_invitation_id")
            ),
            on="source_invitation_id",
            how="left",
        )
        .with_columns(answered_by.alias("answered_by"))
        .join(_customers(raw_dir), left_on="answered_by", right_on="customer_id", how="left")
        .select(
            "response_id",
            pl.col("invitation_id").fill_null(unknown),
            "source_invitation_id",
            pl.col("known_contact_id").fill_null(unknown).alias("contact_id"),
            "source_contact_id",
            pl.col("answered_by").fill_null(unknown).alias("customer_id"),
            pl.col("customer_id").alias("source_customer_id"),
            pl.col("source_survey_id").fill_null(unknown).alias("survey_id"),
            "source_survey_id",
            "survey_type",
            pl.col("score").cast(pl.Int32),
            "nps_category",
            contribution.alias("nps_contribution"),
            *("csat_score", "effort_score", "responded_at", "response_date"),
            pl.col("response_date").alias("period_date"),
            pl.coalesce(
                "contact_weekday", pl.col("responded_at").dt.weekday().cast(pl.Int32)
            ).alias("weekday"),
            pl.coalesce("contact_hour", pl.col("responded_at").dt.hour().cast(pl.Int32)).alias(
                "hour"
            ),
            pl.col("survey_channel").fill_null(unknown),
            pl.col("language").fill_null(unknown),
            *("comment", "status"),
            *(
                column
                for name in ("agent_id", "department_id", "team", "channel", "site")
                for column in (
                    pl.col(name).fill_null(unknown),
                    *([] if name == "team" else [pl.col(f"source_{name}")]),
                )
            ),
            pl.coalesce("source_product_line", "customer_product_line", unknown).alias(
                "product_line"
            ),
            "source_product_line",
            pl.col("contact_reason").fill_null(unknown),
            "source_contact_reason",
            pl.col("segment").fill_null(unknown),
            *("queue_seconds", "hold_seconds", "handle_seconds", "transfers", "is_resolved"),
        )
    )


_PERIODS = {"day": "1d", "week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}


def _in_periods(daily: pl.LazyFrame, first: pl.Expr) -> pl.LazyFrame:
    """Sums of daily counts for every survey type, `all` too, and period type."""
    pooled = pl.concat([daily, daily.with_columns(pl.lit("all").alias("survey_type"))])
    frames = [
        pooled.with_columns(
            pl.lit(name).alias("period_type"),
            (first if every is None else pl.col("date").dt.truncate(every)).alias("period_start"),
        )
        for name, every in {**_PERIODS, "all": None}.items()
    ]
    return (
        pl.concat(frames)
        .drop("date")
        .group_by("survey_type", "period_type", "period_start")
        .agg(pl.all().sum())
    )


def _by_period(
    facts: pl.LazyFrame, invitations: pl.LazyFrame, seeds_dir: Path, as_of: pl.Expr
) -> pl.LazyFrame:
    dates = facts.select(
        pl.col("period_date").min().alias("first"), pl.col("period_date").max().alias("last")
    ).collect()
    first, last = (pl.lit(dates.item(0, name)) for name in ("first", "last"))
    categories = ("promoter", "passive", "detractor")
    daily = facts.group_by("survey_type", pl.col("period_date").alias("date")).agg(
        pl.len().cast(pl.Int64).alias("responses"),
        *(
            (pl.col("nps_category") == name).sum().cast(pl.Int64).alias(f"{name}s")
            for name in categories
        ),
    )
    answered = facts.select(pl.col("source_invitation_id").alias("invitation_id")).unique()
    sent = (
        invitations.filter(
            (pl.col("status") != "bounced").fill_null(True), pl.col("sent_at").is_not_null()
        )
        .join(answered.with_columns(pl.lit(1).alias("answered")), on="invitation_id", how="left")
        .group_by("survey_type", pl.col("sent_at").dt.date().alias("date"))
        .agg(
            pl.len().cast(pl.Int64).alias("invitations"),
            pl.col("answered").sum().cast(pl.Int64),
        )
    )
    end = pl.col("period_start")
    ends = [
        pl.when(pl.col("period_type") == name).then(end.dt.offset_by(every).dt.offset_by("-1d"))
        for name, every in _PERIODS.items()
    ]
    p = (pl.col("promoters") + 0.75) / (pl.col("responses") + 3)
    d = (pl.col("detractors") + 0.75) / (pl.col("responses") + 3)
    error = 100 * ((p + d - (p - d) ** 2) / (pl.col("responses") + 3)).sqrt()
    bands = pl.read_csv(seeds_dir / "nps_bands.csv").with_columns(
        pl.col("above").cast(pl.Float64), pl.col("up_to").cast(pl.Float64).fill_null(100.0)
    )
    nps = 100.0 * (pl.col("promoters") - pl.col("detractors")) / pl.col("responses")
    band = pl.coalesce(
        pl.when(nps <= row["up_to"]).then(pl.lit(row["band"]))
        for row in bands.sort("up_to").iter_rows(named=True)
    )
    keys = ["survey_type", "period_type", "period_start"]
    return (
        _in_periods(daily, first)
        .join(_in_periods(sent, first), on=keys, how="left")
        .with_columns(pl.coalesce(*ends, last).alias("period_end"))
        .select(
            *keys,
            "period_end",
            (pl.col("period_end") < as_of.dt.date()).alias("is_complete"),
            *("responses", "promoters", "passives", "detractors"),
            *(
                (100.0 * pl.col(f"{name}s") / pl.col("responses")).alias(f"{name}_pct")
                for name in categories
            ),
            nps.alias("nps"),
            error.alias("nps_standard_error"),
            (100 * (p - d) - _Z * error).clip(lower_bound=-100).alias("nps_ci_low"),
            (100 * (p - d) + _Z * error).clip(upper_bound=100).alias("nps_ci_high"),
            band.alias("nps_band"),
            (pl.col("responses") >= 30).alias("is_reportable"),
            pl.col("invitations").fill_null(0),
            (100.0 * pl.col("answered") / pl.col("invitations")).alias("response_rate"),
        )
    )


def build(raw_dir: Path, seeds_dir: Path, folder: Path) -> None:
    """Make the tables of `TABLES`, as Parquet files.

    Args:
        raw_dir: Parquet files as ``generate_sample --format parquet --without-dirty-rows`` names
            and types them.
        seeds_dir: the reference tables, as CSV.
        folder: where the files go; exists.

    Raises:
        polars.exceptions.PolarsError: a file cannot be read or lacks a column.
    """
    responses_file = folder / "_responses.parquet"
    _responses(raw_dir, seeds_dir).sink_parquet(responses_file)
    responses = pl.scan_parquet(responses_file)
    _contacts(raw_dir, seeds_dir, responses).sink_parquet(folder / "fct_contacts.parquet")
    contacts = pl.scan_parquet(folder / "fct_contacts.parquet")
    invitations_file = folder / "_invitations.parquet"
    _invitations(raw_dir).sink_parquet(invitations_file)
    invitations = pl.scan_parquet(invitations_file)
    _facts(responses, contacts, invitations, raw_dir).sink_parquet(
        folder / "fct_survey_responses.parquet"
    )
    facts = pl.scan_parquet(folder / "fct_survey_responses.parquet")
    newest = [
        frame.select(pl.max_horizontal(*(pl.col(name).max() for name in names)).alias("newest"))
        for frame, names in (
            (responses, ["responded_at"]),
            (contacts, ["started_at", "ended_at"]),
            (invitations, ["sent_at"]),
        )
    ]
    as_of = pl.lit(pl.concat(newest).collect()["newest"].max())
    _by_period(facts, invitations, seeds_dir, as_of).sink_parquet(folder / "nps_by_period.parquet")


if __name__ == "__main__":
    build(*(Path(argument) for argument in sys.argv[1:4]))
