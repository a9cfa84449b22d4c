"""Asks the model for one word: proves address, key, name and quota at once. Plain HTTP: langchain takes seconds to import."""

import httpx

from bot.core.check import Check, absent, failed, ok
from bot.core.text.untrusted import one_line

OPENAI = "https://api.openai.com/v1"
SECONDS = 30.0
_ADVICE = {
    401: "check OPENAI_API_KEY",
    403: "the key may not use this model: check its project and its rights",
    404: "check TOCSIN_MODEL and OPENAI_BASE_URL (it usually ends in /v1)",
    429: "the key's quota or rate is used up",
}


async def check_model(client: httpx.AsyncClient, *, name: str, key: str, base_url: str) -> Check:
    """One tiny completion. Costs a few tokens."""
    title = f"Model {name}" if name else "Model"
    if not name:
        return absent(title, "the built-in analyst ranks; set TOCSIN_MODEL and OPENAI_API_KEY for a model on top of it")
    url = (base_url or OPENAI).rstrip("/") + "/chat/completions"
    body = {"model": name, "messages": [{"role": "user", "content": "Answer with the one word: ok"}]}
    try:
        answer = await client.post(url, json=body, headers={"Authorization": f"Bearer {key or 'none'}"}, timeout=SECONDS)
    except httpx.TimeoutException:
        return failed(title, f"no answer within {SECONDS:.0f} s", "check the model's server; until then the analyst ranks")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return failed(title, f"not reached at {url} ({type(error).__name__})", "check OPENAI_BASE_URL and the network")
    if answer.status_code != 200:
        advice = _ADVICE.get(answer.status_code, "check the model's server; until then the analyst ranks")
        return failed(title, f"answered {answer.status_code}: {one_line(answer.text, 160)}", advice)
    return _read(title, answer)


def _read(title: str, answer: httpx.Response) -> Check:
    try:
        content = str(answer.json()["choices"][0]["message"]["content"])
    except (ValueError, KeyError, TypeError, IndexError):
        return failed(title, "the answer is no chat completion", "OPENAI_BASE_URL must speak OpenAI's chat completions")
    return ok(title, f"answers ({one_line(content, 40)})")
