// What the page knows, kept current by the stream of changes.
import { get } from "./api.js";

export const state = {
  me: "U2",
  channel: "C0",
  thread: "",
  home: false,
  people: new Map(),
  usergroups: new Map(),
  channels: new Map(),
  messages: new Map(), // channel -> Map(ts -> message)
  ephemerals: [],
  stacks: new Map(), // person -> modals, the top one last
  homes: new Map(),
  unread: new Set(),
  workspace: {},
  killed: false, // whether a person killed the bot from this page
};

const listeners = [];
let pending = false;

export const onChange = (listener) => listeners.push(listener);

/** Draw once per frame, however many changes came. A timer, since frames stop in a hidden tab. */
export function changed() {
  if (pending) return;
  pending = true;
  setTimeout(() => {
    pending = false;
    listeners.forEach((listener) => listener());
  }, 16);
}

export function messagesOf(channel) {
  if (!state.messages.has(channel)) state.messages.set(channel, new Map());
  return state.messages.get(channel);
}

async function loadPeople() {
  const { people, usergroups } = await get("/_sandbox/people");
  state.people = new Map(people.map((person) => [person.id, person]));
  state.usergroups = new Map(usergroups.map((group) => [group.id, group]));
}

async function loadChannels() {
  const { channels } = await get("/_sandbox/channels");
  state.channels = new Map(channels.map((channel) => [channel.id, channel]));
}

export async function load() {
  state.workspace = await get("/_sandbox/state");
  const [, , said, whispered, shown] = await Promise.all([
    loadPeople(), loadChannels(), get("/_sandbox/messages"), get("/_sandbox/ephemerals"), get("/_sandbox/views"),
  ]);
  state.messages.clear();
  said.messages.forEach((message) => messagesOf(message.channel).set(message.ts, message));
  state.ephemerals = whispered.ephemerals;
  state.stacks.clear();
  shown.views.forEach((view) => state.stacks.set(view.user, [...(state.stacks.get(view.user) || []), view]));
  state.homes = new Map(Object.entries(shown.homes));
  changed();
}

const APPLY = {
  message(change) {
    const known = messagesOf(change.channel);
    if (!known.has(change.message.ts)) {
      change.message.fresh = true;
      if (change.channel !== state.channel) state.unread.add(change.channel);
    }
    known.set(change.message.ts, change.message);
  },
  deleted: (change) => messagesOf(change.channel).delete(change.ts),
  ephemeral: (change) => state.ephemerals.push({ ...change.message, fresh: true }),
  ephemeral_gone: (change) => { state.ephemerals = state.ephemerals.filter((one) => one.ts !== change.ts); },
  views: (change) => state.stacks.set(change.user, change.stack),
  home: (change) => state.homes.set(change.user, change.view),
  bot: (change) => { state.workspace.connections = change.connections; },
  people: loadPeople,
  channels: loadChannels,
  reload: load,
};

/** Follow the stream; after a break the browser goes on from the last change it saw. */
export function follow() {
  const stream = new EventSource(`/_sandbox/stream?after=${state.workspace.number}`);
  stream.onmessage = async (event) => {
    const change = JSON.parse(event.data);
    if (!APPLY[change.kind]) return;
    await APPLY[change.kind](change);
    changed();
  };
}
