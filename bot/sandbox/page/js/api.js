// The control API of the sandbox.

async function call(path, options) {
  const answer = await fetch(path, options);
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.messages?.join(", ") || body.error || `${path}: ${answer.status}`);
  return body;
}

export const get = (path) => call(path);

export const post = (path, body) =>
  call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/** Do something as a person; the answer says whether the app acknowledged. */
export const act = (person, what) => post("/_sandbox/act", { as: person, ...what });

const REASONS = {
  dispatch_failed: "The app is not reachable right now.",
  operation_timeout: "The app did not answer within three seconds.",
  http_error: "The app answered with an error.",
  bot_not_in_channel: "The app is not in this channel.",
};

/** What to tell the person after an act, or an empty text if all went well. */
export const complaint = (answer) => (answer.error ? REASONS[answer.error] || answer.error : "");
