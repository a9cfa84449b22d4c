"""How often a message may be sent to one channel."""

from bot.workflows.messages.rate_limit import TokenBucket


def test_a_channel_is_forgotten_only_once_its_burst_is_whole_and_nothing_blocks_it() -> None:
    now = 0.0
    bucket = TokenBucket(rate=1.0, burst=3.0, monotonic=lambda: now)
    bucket.take()
    after_one = bucket.idle
    now = 1.5
    refilled = bucket.idle
    bucket.block(10)

    assert (after_one, refilled, bucket.idle) == (False, True, False)
    now = 12.0
    assert bucket.idle
