"""Every table of the first version."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "attempts",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("user_id", _TEXT, nullable=False),
        sa.Column("course_id", _TEXT, nullable=False),
        sa.Column("lesson", _TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger(), nullable=True),
        sa.Column("submitted_at", sa.BigInteger(), nullable=True),
        sa.Column("share_ppm", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_attempts_number")),
        sa.CheckConstraint("share_ppm >= 0", name=op.f("ck_attempts_share")),
        sa.CheckConstraint("version >= 0", name=op.f("ck_attempts_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint(
            "user_id",
            "course_id",
            "lesson",
            "number",
            name=op.f("uq_attempts_user_id_course_id_lesson_number"),
        ),
    )
    op.create_index(
        "ix_attempts_closes_at",
        "attempts",
        ["closes_at"],
        unique=False,
        sqlite_where=sa.text("NOT final"),
        postgresql_where=sa.text("NOT final"),
    )
    op.create_index(
        "ix_attempts_course_user", "attempts", ["course_id", "user_id"], unique=False
    )
    op.create_index(
        "uq_attempts_one_open",
        "attempts",
        ["user_id", "course_id", "lesson"],
        unique=True,
        sqlite_where=sa.text("NOT final"),
        postgresql_where=sa.text("NOT final"),
    )
    op.create_table(
        "audit",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", _TEXT, nullable=True),
        sa.Column("action", _TEXT, nullable=False),
        sa.Column("subject", _TEXT, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_at", "audit", ["at", "id"], unique=False)
    op.create_table(
        "certificates",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("enrollment_id", _TEXT, nullable=False),
        sa.Column("user_id", _TEXT, nullable=False),
        sa.Column("course_id", _TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("code", _TEXT, nullable=False),
        sa.Column("status_index", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_certificates_number")),
        sa.CheckConstraint(
            "status_index >= 0", name=op.f("ck_certificates_status_index")
        ),
        sa.CheckConstraint("version >= 0", name=op.f("ck_certificates_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint("code", name=op.f("uq_certificates_code")),
        sa.UniqueConstraint(
            "enrollment_id", name=op.f("uq_certificates_enrollment_id")
        ),
        sa.UniqueConstraint("number", name=op.f("uq_certificates_number")),
        sa.UniqueConstraint("status_index", name=op.f("uq_certificates_status_index")),
    )
    op.create_index(
        "ix_certificates_revoked",
        "certificates",
        ["status_index"],
        unique=False,
        sqlite_where=sa.text("revoked"),
        postgresql_where=sa.text("revoked"),
    )
    op.create_index(
        "ix_certificates_user",
        "certificates",
        ["user_id", "issued_at", "id"],
        unique=False,
    )
    op.create_table(
        "counters",
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "courses",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("owner_id", _TEXT, nullable=False),
        sa.Column("title", _TEXT, nullable=False),
        sa.Column("search", _TEXT, nullable=False),
        sa.Column("language", _TEXT, nullable=False),
        sa.Column("free", sa.Boolean(), nullable=False),
        sa.Column("published_number", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "published_number >= 1", name=op.f("ck_courses_published_number")
        ),
        sa.CheckConstraint("version >= 0", name=op.f("ck_courses_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courses")),
    )
    op.create_index("ix_courses_owner_id", "courses", ["owner_id"], unique=False)
    op.create_index("ix_courses_title", "courses", ["title", "id"], unique=False)
    op.create_table(
        "credentials",
        sa.Column("user_id", _TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint("version >= 0", name=op.f("ck_credentials_version")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_credentials")),
    )
    op.create_table(
        "dead_letters",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("queue", _TEXT, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("died_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_dead_letters")),
        sa.UniqueConstraint("queue", "id", name=op.f("uq_dead_letters_queue_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "enrollments",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("user_id", _TEXT, nullable=False),
        sa.Column("course_id", _TEXT, nullable=False),
        sa.Column("status", _TEXT, nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("progress_ppm", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "progress_ppm BETWEEN 0 AND 1000000", name=op.f("ck_enrollments_progress")
        ),
        sa.CheckConstraint("version >= 0", name=op.f("ck_enrollments_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrollments")),
    )
    op.create_index(
        "ix_enrollments_course_user",
        "enrollments",
        ["course_id", "user_id"],
        unique=False,
    )
    op.create_index(
        "ix_enrollments_expires_at",
        "enrollments",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("held"),
        postgresql_where=sa.text("held"),
    )
    op.create_index(
        "ix_enrollments_user_course",
        "enrollments",
        ["user_id", "course_id"],
        unique=False,
    )
    op.create_index(
        "uq_enrollments_one_held",
        "enrollments",
        ["user_id", "course_id"],
        unique=True,
        sqlite_where=sa.text("held"),
        postgresql_where=sa.text("held"),
    )
    op.create_table(
        "idempotency",
        sa.Column("scope", _TEXT, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("fingerprint", _TEXT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_idempotency")),
    )
    op.create_index("ix_idempotency_at", "idempotency", ["at"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("consumer", _TEXT, nullable=False),
        sa.Column("event_id", _TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("consumer", "event_id", name=op.f("pk_inbox")),
    )
    op.create_table(
        "media",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("course_id", _TEXT, nullable=False),
        sa.Column("status", _TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint("version >= 0", name=op.f("ck_media_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
    )
    op.create_index(
        "ix_media_course", "media", ["course_id", "created_at", "id"], unique=False
    )
    op.create_index("ix_media_status", "media", ["status", "changed_at"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("queue", _TEXT, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("visible_at", sa.BigInteger(), nullable=False),
        sa.Column("receipt", _TEXT, nullable=True),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_messages_next", "messages", ["queue", "visible_at"], unique=False
    )
    op.create_table(
        "orders",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("user_id", _TEXT, nullable=False),
        sa.Column("course_id", _TEXT, nullable=False),
        sa.Column("status", _TEXT, nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", _TEXT, nullable=False),
        sa.Column("checkout", _TEXT, nullable=True),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint("minor >= 0", name=op.f("ck_orders_minor")),
        sa.CheckConstraint("version >= 0", name=op.f("ck_orders_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
    )
    op.create_index("ix_orders_course", "orders", ["course_id"], unique=False)
    op.create_index(
        "ix_orders_unsettled",
        "orders",
        ["placed_at"],
        unique=False,
        sqlite_where=sa.text("NOT settled"),
        postgresql_where=sa.text("NOT settled"),
    )
    op.create_index(
        "ix_orders_user", "orders", ["user_id", "placed_at", "id"], unique=False
    )
    op.create_table(
        "outbox",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("id", _TEXT, nullable=False),
        sa.Column(
            "passed_on", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_pending",
        "outbox",
        ["sequence"],
        unique=False,
        sqlite_where=sa.text("NOT passed_on"),
        postgresql_where=sa.text("NOT passed_on"),
    )
    op.create_table(
        "overrides",
        sa.Column("course_id", _TEXT, nullable=False),
        sa.Column("user_id", _TEXT, nullable=False),
        sa.Column("lesson", _TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint("version >= 0", name=op.f("ck_overrides_version")),
        sa.PrimaryKeyConstraint(
            "course_id", "user_id", "lesson", name=op.f("pk_overrides")
        ),
    )
    op.create_table(
        "progress",
        sa.Column("user_id", _TEXT, nullable=False),
        sa.Column("course_id", _TEXT, nullable=False),
        sa.Column("lesson", _TEXT, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("watched", sa.Text(), nullable=False),
        sa.Column("position_ms", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("epoch >= 0", name=op.f("ck_progress_epoch")),
        sa.CheckConstraint("position_ms >= 0", name=op.f("ck_progress_position")),
        sa.PrimaryKeyConstraint(
            "user_id", "course_id", "lesson", name=op.f("pk_progress")
        ),
    )
    op.create_index(
        "ix_progress_course",
        "progress",
        ["course_id", "user_id", "lesson"],
        unique=False,
    )
    op.create_table(
        "seats",
        sa.Column("course_id", _TEXT, nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.CheckConstraint("taken >= 0", name=op.f("ck_seats_taken")),
        sa.PrimaryKeyConstraint("course_id", name=op.f("pk_seats")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("user_id", _TEXT, nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint("version >= 0", name=op.f("ck_sessions_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(
        "ix_sessions_live",
        "sessions",
        ["user_id"],
        unique=False,
        sqlite_where=sa.text("NOT ended"),
        postgresql_where=sa.text("NOT ended"),
    )
    op.create_table(
        "users",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("email", _TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint("version >= 0", name=op.f("ck_users_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "publications",
        sa.Column("course_id", _TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_publications_number")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_publications_course_id")
        ),
        sa.PrimaryKeyConstraint("course_id", "number", name=op.f("pk_publications")),
    )
    op.create_table(
        "transactions",
        sa.Column("reference", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("order_id", _TEXT, nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", _TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("minor >= 0", name=op.f("ck_transactions_minor")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_transactions_order_id")
        ),
        sa.PrimaryKeyConstraint("reference", "kind", name=op.f("pk_transactions")),
    )
    op.create_index(
        "ix_transactions_order_id", "transactions", ["order_id"], unique=False
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_index("ix_transactions_order_id", table_name="transactions")
    op.drop_table("transactions")
    op.drop_table("publications")
    op.drop_table("users")
    op.drop_index(
        "ix_sessions_live",
        table_name="sessions",
        sqlite_where=sa.text("NOT ended"),
        postgresql_where=sa.text("NOT ended"),
    )
    op.drop_table("sessions")
    op.drop_table("seats")
    op.drop_index("ix_progress_course", table_name="progress")
    op.drop_table("progress")
    op.drop_table("overrides")
    op.drop_index(
        "ix_outbox_pending",
        table_name="outbox",
        sqlite_where=sa.text("NOT passed_on"),
        postgresql_where=sa.text("NOT passed_on"),
    )
    op.drop_table("outbox")
    op.drop_index("ix_orders_user", table_name="orders")
    op.drop_index(
        "ix_orders_unsettled",
        table_name="orders",
        sqlite_where=sa.text("NOT settled"),
        postgresql_where=sa.text("NOT settled"),
    )
    op.drop_index("ix_orders_course", table_name="orders")
    op.drop_table("orders")
    op.drop_index("ix_messages_next", table_name="messages")
    op.drop_table("messages")
    op.drop_index("ix_media_status", table_name="media")
    op.drop_index("ix_media_course", table_name="media")
    op.drop_table("media")
    op.drop_table("inbox")
    op.drop_index("ix_idempotency_at", table_name="idempotency")
    op.drop_table("idempotency")
    op.drop_index(
        "uq_enrollments_one_held",
        table_name="enrollments",
        sqlite_where=sa.text("held"),
        postgresql_where=sa.text("held"),
    )
    op.drop_index("ix_enrollments_user_course", table_name="enrollments")
    op.drop_index(
        "ix_enrollments_expires_at",
        table_name="enrollments",
        sqlite_where=sa.text("held"),
        postgresql_where=sa.text("held"),
    )
    op.drop_index("ix_enrollments_course_user", table_name="enrollments")
    op.drop_table("enrollments")
    op.drop_table("dead_letters")
    op.drop_table("credentials")
    op.drop_index("ix_courses_title", table_name="courses")
    op.drop_index("ix_courses_owner_id", table_name="courses")
    op.drop_table("courses")
    op.drop_table("counters")
    op.drop_index("ix_certificates_user", table_name="certificates")
    op.drop_index(
        "ix_certificates_revoked",
        table_name="certificates",
        sqlite_where=sa.text("revoked"),
        postgresql_where=sa.text("revoked"),
    )
    op.drop_table("certificates")
    op.drop_index("ix_audit_at", table_name="audit")
    op.drop_table("audit")
    op.drop_index(
        "uq_attempts_one_open",
        table_name="attempts",
        sqlite_where=sa.text("NOT final"),
        postgresql_where=sa.text("NOT final"),
    )
    op.drop_index("ix_attempts_course_user", table_name="attempts")
    op.drop_index(
        "ix_attempts_closes_at",
        table_name="attempts",
        sqlite_where=sa.text("NOT final"),
        postgresql_where=sa.text("NOT final"),
    )
    op.drop_table("attempts")
