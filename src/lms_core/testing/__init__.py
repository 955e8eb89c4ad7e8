"""Conformance suites and strategies for people who write adapters and policies.

Needs the ``testing`` extra: ``pip install 'lms-core[testing]'``.
"""

import pytest

# Before these are imported, so that a failing clause shows its values.
pytest.register_assert_rewrite(
    *(
        f"lms_core.testing.{module}"
        for module in (
            "credential_signer",
            "identity",
            "machines",
            "mail_renderer",
            "mailer",
            "message_queue",
            "object_store",
            "password_hasher",
            "payment_gateway",
            "pdf_renderer",
            "pdf_sealer",
            "progress_store",
            "secret_store",
            "sms_sender",
            "suite",
            "system",
            "transcoder",
            "unit_of_work",
            "upload_signer",
            "url_signer",
        )
    )
)
