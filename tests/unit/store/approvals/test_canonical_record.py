"""The canonical record in users' databases stays byte for byte: another byte is another plan than the approved one.

The bytes are those of the bot of commit 713a39c, but for the words that say what undoes it.
"""

from pathlib import Path
from typing import Any

from bot.core.action import Tier
from bot.core.approvals.canonical_record import canonical, plan_fingerprint
from bot.store.tables import ProposalRow
from tests.unit.approvals_fixture import ApprovalsFixture, dry_run, open_approvals

PROPOSED = (
    '{"action":"restart","action_version":"run_webhook@1+bf4689c4","arguments":{},"because":"E1 says so",'
    '"dry_run_digest":"d5cb1925acd8518c2d5b0c0d2382fc21a95f71dad818b6ecce49fa5568adc495","dry_run_ok":true,'
    '"expires_at":"2026-03-01T04:00:00.000000Z","group":"AL-1","incident":"INC-1","inverse":"Rollforward checkout",'
    '"kind":"run_webhook",'
    '"policy_version":"47d67b7b06955c46","ref":"AP-1","requester":"alice","revision":1,"service":"checkout",'
    '"steps":["POST http://jobs.example/restart","watch errors until it is below 2 %, for 20 s at most",'
    '"if it does not recover, offer what undoes it"],"targets":{"checkout-pods":"2"},"tier":1,"title":"Restart checkout"}'
)
FIRST_DRY_RUN = "d5cb1925acd8518c2d5b0c0d2382fc21a95f71dad818b6ecce49fa5568adc495"
SECOND_DRY_RUN = "9813f023a4d7708e32631ac536c7727c2f118229b0c160b004826a5ae94f34f2"
REVISED = (
    PROPOSED.replace(FIRST_DRY_RUN, SECOND_DRY_RUN)
    .replace('"dry_run_ok":true', '"dry_run_ok":false')
    .replace('"revision":1', '"revision":2')
    .replace('"checkout-pods":"2"', '"checkout-pods":"3"')
    .replace('"tier":1', '"tier":2')
)


async def stored(fixture: ApprovalsFixture) -> tuple[str, str]:
    (row,) = await fixture.rows(ProposalRow)
    return canonical(row.record).decode(), row.plan_fingerprint


async def test_a_proposal_has_the_bytes_that_it_always_had(tmp_path: Path) -> None:
    fixture = await open_approvals(tmp_path)
    await fixture.propose("restart", requester="alice")

    assert await stored(fixture) == (PROPOSED, "86e715b045e7eee27d25eb22a319c33d9c6227156257907788ed8978a6496ac6")
    await fixture.close()


async def test_a_revision_changes_only_what_the_fresh_dry_run_showed(tmp_path: Path) -> None:
    fixture = await open_approvals(tmp_path)
    await fixture.propose("restart", requester="alice")
    fixture.pass_time(seconds=5)
    await fixture.revise("AP-1", dry_run("POST é", targets={"checkout-pods": "3"}, ok=False), Tier.TWO)

    assert await stored(fixture) == (REVISED, "560cffe26f95f6a21a694166e9eedda9ff3c717c666560e331a10cfbc65e5d65")
    await fixture.close()


def test_the_fingerprint_is_over_the_bytes_and_not_over_the_order_of_keys() -> None:
    backwards: dict[str, Any] = {"tier": 1, "title": "e\u0301", "arguments": {"b": "2", "a": "1"}}

    assert canonical(backwards) == '{"arguments":{"a":"1","b":"2"},"tier":1,"title":"é"}'.encode()
    assert plan_fingerprint(backwards) == "d1bfe3fd473e40cfdba40c01658963ad93f857791860b59766d9328eb40303bc"
