"""Every table there is.

What is looked for, sorted by or must hold among rows is a column; the rest of
an aggregate is its *document*, JSON as text. Times are whole microseconds since
1970 in UTC: exact, sortable and the same in SQLite and PostgreSQL, where
`timestamptz` would not exist in the one and be read through a session's zone in
the other. Text compares by code point in both.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
# SQLite counts rows only in a column that is declared INTEGER, nothing else.
_SEQUENCE = BigInteger().with_variant(Integer(), "sqlite")


def _key(name: str = "id") -> "Column[str]":
    return Column(name, _TEXT, primary_key=True)


def _text(name: str, *, null: bool = False) -> "Column[str]":
    return Column(name, _TEXT, nullable=null)


def _flag(name: str) -> "Column[bool]":
    return Column(name, Boolean, nullable=False)


def _number(name: str, *, null: bool = False) -> "Column[int]":
    return Column(name, BigInteger, nullable=null)


def _document() -> tuple["Column[int]", "Column[str]", CheckConstraint]:
    return (
        Column("version", Integer, nullable=False),
        Column("document", Text, nullable=False),
        CheckConstraint("version >= 0", name="version"),
    )


users = Table(
    "users",
    metadata,
    _key(),
    _text("email"),
    *_document(),
    UniqueConstraint("email"),
)

credentials = Table("credentials", metadata, _key("user_id"), *_document())

sessions = Table(
    "sessions",
    metadata,
    _key(),
    _text("user_id"),
    _flag("ended"),
    _number("expires_at"),
    *_document(),
    Index(
        "ix_sessions_live",
        "user_id",
        sqlite_where=text("NOT ended"),
        postgresql_where=text("NOT ended"),
    ),
)

courses = Table(
    "courses",
    metadata,
    _key(),
    _text("owner_id"),
    _text("title"),
    _text("search"),
    _text("language"),
    _flag("free"),
    Column("published_number", Integer),
    *_document(),
    CheckConstraint("published_number >= 1", name="published_number"),
    Index("ix_courses_owner_id", "owner_id"),
    Index("ix_courses_title", "title", "id"),
)

publications = Table(
    "publications",
    metadata,
    Column("course_id", _TEXT, ForeignKey("courses.id"), nullable=False),
    Column("number", Integer, nullable=False),
    _number("at"),
    Column("document", Text, nullable=False),
    PrimaryKeyConstraint("course_id", "number"),
    CheckConstraint("number >= 1", name="number"),
)

enrollments = Table(
    "enrollments",
    metadata,
    _key(),
    _text("user_id"),
    _text("course_id"),
    _text("status"),
    _flag("held"),
    _number("opened_at"),
    _number("expires_at", null=True),
    _number("completed_at", null=True),
    _number("progress_ppm"),
    *_document(),
    CheckConstraint("progress_ppm BETWEEN 0 AND 1000000", name="progress"),
    Index("ix_enrollments_user_course", "user_id", "course_id"),
    Index("ix_enrollments_course_user", "course_id", "user_id"),
    Index(
        "uq_enrollments_one_held",
        "user_id",
        "course_id",
        unique=True,
        sqlite_where=text("held"),
        postgresql_where=text("held"),
    ),
    Index(
        "ix_enrollments_expires_at",
        "expires_at",
        sqlite_where=text("held"),
        postgresql_where=text("held"),
    ),
)

seats = Table(
    "seats",
    metadata,
    _key("course_id"),
    Column("taken", Integer, nullable=False),
    CheckConstraint("taken >= 0", name="taken"),
)

attempts = Table(
    "attempts",
    metadata,
    _key(),
    _text("user_id"),
    _text("course_id"),
    _text("lesson"),
    Column("number", Integer, nullable=False),
    _flag("final"),
    _number("started_at"),
    _number("closes_at", null=True),
    _number("submitted_at", null=True),
    _number("share_ppm", null=True),
    *_document(),
    UniqueConstraint("user_id", "course_id", "lesson", "number"),
    CheckConstraint("number >= 1", name="number"),
    CheckConstraint("share_ppm >= 0", name="share"),
    Index("ix_attempts_course_user", "course_id", "user_id"),
    Index(
        "uq_attempts_one_open",
        "user_id",
        "course_id",
        "lesson",
        unique=True,
        sqlite_where=text("NOT final"),
        postgresql_where=text("NOT final"),
    ),
    Index(
        "ix_attempts_closes_at",
        "closes_at",
        sqlite_where=text("NOT final"),
        postgresql_where=text("NOT final"),
    ),
)

media = Table(
    "media",
    metadata,
    _key(),
    _text("course_id"),
    _text("status"),
    _number("created_at"),
    _number("changed_at"),
    *_document(),
    Index("ix_media_course", "course_id", "created_at", "id"),
    Index("ix_media_status", "status", "changed_at"),
)

orders = Table(
    "orders",
    metadata,
    _key(),
    _text("user_id"),
    _text("course_id"),
    _text("status"),
    _number("minor"),
    _text("currency"),
    _text("checkout", null=True),
    _flag("settled"),
    _number("placed_at"),
    *_document(),
    CheckConstraint("minor >= 0", name="minor"),
    Index("ix_orders_user", "user_id", "placed_at", "id"),
    Index("ix_orders_course", "course_id"),
    Index(
        "ix_orders_unsettled",
        "placed_at",
        sqlite_where=text("NOT settled"),
        postgresql_where=text("NOT settled"),
    ),
)

transactions = Table(
    "transactions",
    metadata,
    _text("reference"),
    _text("kind"),
    Column("order_id", _TEXT, ForeignKey("orders.id"), nullable=False),
    _number("minor"),
    _text("currency"),
    _number("at"),
    PrimaryKeyConstraint("reference", "kind"),
    CheckConstraint("minor >= 0", name="minor"),
    Index("ix_transactions_order_id", "order_id"),
)

certificates = Table(
    "certificates",
    metadata,
    _key(),
    _text("enrollment_id"),
    _text("user_id"),
    _text("course_id"),
    _number("number"),
    _text("code"),
    _number("status_index"),
    _number("issued_at"),
    _flag("revoked"),
    *_document(),
    UniqueConstraint("enrollment_id"),
    UniqueConstraint("number"),
    UniqueConstraint("code"),
    UniqueConstraint("status_index"),
    CheckConstraint("number >= 1", name="number"),
    CheckConstraint("status_index >= 0", name="status_index"),
    Index("ix_certificates_user", "user_id", "issued_at", "id"),
    Index(
        "ix_certificates_revoked",
        "status_index",
        sqlite_where=text("revoked"),
        postgresql_where=text("revoked"),
    ),
)

overrides = Table(
    "overrides",
    metadata,
    _text("course_id"),
    _text("user_id"),
    _text("lesson"),
    *_document(),
    PrimaryKeyConstraint("course_id", "user_id", "lesson"),
)

counters = Table(
    "counters", metadata, _key("name"), Column("value", BigInteger, nullable=False)
)

outbox = Table(
    "outbox",
    metadata,
    Column("sequence", _SEQUENCE, primary_key=True, autoincrement=True),
    _text("id"),
    Column("passed_on", Boolean, nullable=False, server_default=false()),
    Column("document", Text, nullable=False),
    UniqueConstraint("id"),
    Index(
        "ix_outbox_pending",
        "sequence",
        sqlite_where=text("NOT passed_on"),
        postgresql_where=text("NOT passed_on"),
    ),
    sqlite_autoincrement=True,
)

inbox = Table(
    "inbox",
    metadata,
    _text("consumer"),
    _text("event_id"),
    _number("at"),
    PrimaryKeyConstraint("consumer", "event_id"),
)

idempotency = Table(
    "idempotency",
    metadata,
    _text("scope"),
    _text("key"),
    _text("fingerprint"),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    _number("at"),
    PrimaryKeyConstraint("scope", "key"),
    Index("ix_idempotency_at", "at"),
)

audit = Table(
    "audit",
    metadata,
    _key(),
    _number("at"),
    _text("actor_id", null=True),
    _text("action"),
    _text("subject"),
    Column("document", Text, nullable=False),
    Index("ix_audit_at", "at", "id"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", _SEQUENCE, primary_key=True, autoincrement=True),
    _text("queue"),
    Column("body", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    _number("visible_at"),
    _text("receipt", null=True),
    Column("deliveries", Integer, nullable=False),
    _number("created_at"),
    Index("ix_messages_next", "queue", "visible_at"),
    sqlite_autoincrement=True,
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("sequence", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("id", BigInteger, nullable=False),
    _text("queue"),
    Column("body", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    _text("reason"),
    Column("deliveries", Integer, nullable=False),
    _number("created_at"),
    _number("died_at"),
    UniqueConstraint("queue", "id"),
    sqlite_autoincrement=True,
)

progress = Table(
    "progress",
    metadata,
    _text("user_id"),
    _text("course_id"),
    _text("lesson"),
    Column("epoch", Integer, nullable=False),
    Column("watched", Text, nullable=False),
    _number("position_ms"),
    _number("read_at", null=True),
    _number("seen_at", null=True),
    _number("completed_at", null=True),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("user_id", "course_id", "lesson"),
    CheckConstraint("epoch >= 0", name="epoch"),
    CheckConstraint("position_ms >= 0", name="position"),
    Index("ix_progress_course", "course_id", "user_id", "lesson"),
)
