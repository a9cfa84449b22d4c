"""docs/approvals.md says what the policy answers."""

from tests.policy_table import PAGE, written


def test_the_table_of_roles_is_what_the_policy_answers() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page == written(page), "run python -m tests.policy_table"
