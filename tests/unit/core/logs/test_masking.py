"""What differs from line to line is masked, and what tells kinds apart is not."""

import pytest

from bot.core.logs.masking import masked


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("order 1234 took 35ms from 10.2.0.7:443", "order <*> took <*> from <*>"),
        ("GET /orders/77/items status=503 in 0.25 s", "GET /orders/<*>/items status=503 in <*> s"),
        ("GET /orders/500 200 12ms", "GET /orders/<*> 200 <*>"),
        ('10.0.0.1 "POST /pay HTTP/1.1" 503 312', '<*> "POST /pay HTTP/<*>" 503 <*>'),
        ("pod storefront-6c9f4-njzbh slow", "pod storefront-<*> slow"),
        ("pod checkout-7d9f8-x2k9 id 3f2b8c1e-0000-4000-8000-1234567890ab", "pod checkout-<*> id <*>"),
        ("connection from 10.0.0.9 () at Sat Jun 11 03:28:22 2005 refused", "connection from <*> () at <*> refused"),
        ("GET cache.shop.example:6379 timed out", "GET <*> timed out"),
        ("may 5 requests wait", "may <*> requests wait"),
        ("at 2026-03-01T02:59:58.123Z pool   exhausted", "at <*> pool exhausted"),
    ],
)
def test_numbers_and_ids_are_masked_and_status_codes_are_not(text: str, template: str) -> None:
    assert masked(text) == template
