// One message in Slack: who, when, what, its files and reactions, and what can be done with it.

import { avatar } from "./avatars.js";
import { blockNodes } from "./blocks.js";
import { askConfirmation } from "./dialogs.js";
import { el, icon } from "./dom.js";
import { findEmoji, QUICK, searchEmoji } from "./emoji.js";
import { fileNodes } from "./files.js";
import { attempt, state } from "./live.js";
import { openMenu, openPanel } from "./menu.js";
import { asTyped, mrkdwn, nameOf } from "./mrkdwn.js";
import { Surface } from "./surface.js";
import { timeOfTs } from "./times.js";

/** Who wrote `message`: `{id, name, isBot, guest}`. */
export function authorOf(message) {
  const bot = state.team.bot;
  if (message.bot_id || message.user === bot.user_id) return { id: bot.user_id, name: message.username || bot.name, isBot: true };
  const user = state.team.users.find((person) => person.id === message.user);
  return { id: message.user, name: user?.name ?? message.user ?? "Someone", guest: user?.guest };
}

/**
 * Make the node of a message. `view` says where it stands: `{me(), channel, inThread, follows, replies, openThread, edited}`;
 * `replies` are those in its thread (shown as a link on the root), `edit` is the ts of a message being edited, if any.
 */
export function messageNode(message, view) {
  const author = authorOf(message);
  const node = el(
    "article",
    {
      class: ["message", view.follows ? "follows" : "", message.ephemeral ? "ephemeral" : "", author.isBot ? "by-app" : ""].join(" "),
      tabIndex: -1,
      data: { ts: message.ts },
      "aria-label": `${author.name}, ${timeOfTs(message.ts).textContent}`,
    },
    el("div", { class: "gutter" }, view.follows ? timeOfTs(message.ts) : avatar(author.name, author.isBot ? "app" : "person")),
    el(
      "div",
      { class: "message-main" },
      message.ephemeral ? el("p", { class: "only-you" }, icon("eye"), "Only visible to you") : null,
      view.follows ? null : header(author, message),
      broadcastLine(message, view),
      view.editing ? editor(message, view) : content(message, view),
      fileNodes(message.files),
      reactions(message, view),
      message.ephemeral ? dismissButton(message, view) : repliesLink(view),
    ),
    message.ephemeral ? null : toolbar(message, view, author),
  );
  if (!message.ephemeral) node.addEventListener("keydown", (event) => keys(event, node, message, view, author));
  return node;
}

function header(author, message) {
  return el(
    "div",
    { class: "message-head" },
    el("strong", { class: "author" }, author.name),
    author.isBot ? el("span", { class: "badge" }, "APP") : null,
    author.guest ? el("span", { class: "badge guest" }, "GUEST") : null,
    timeOfTs(message.ts),
  );
}

function broadcastLine(message, view) {
  if (message.subtype !== "thread_broadcast") return null;
  if (view.inThread) return el("p", { class: "hint" }, "Also sent to the channel");
  return el(
    "button",
    { type: "button", class: "link small", on: { click: () => view.openThread(message.thread_ts) } },
    "replied to a thread",
  );
}

function content(message, view) {
  const surface = new Surface({ channel: view.channel, ts: message.ts }, view.me);
  const edited = message.edited ? el("span", { class: "hint" }, " (edited)") : null;
  const useBlocks = message.blocks?.length && (message.bot_id || message.ephemeral);
  return el(
    "div",
    { class: "message-body" },
    useBlocks ? blockNodes(message.blocks, surface) : message.text ? el("div", { class: "text" }, mrkdwn(message.text), edited) : null,
    useBlocks ? edited : null,
    (message.attachments ?? []).map((attachment) => attachmentNode(attachment, surface)),
  );
}

function attachmentNode(attachment, surface) {
  const colour = /^#?[0-9a-f]{3,8}$/i.test(attachment.color ?? "") ? `#${attachment.color.replace("#", "")}` : null;
  return el(
    "div",
    { class: "attachment", style: colour ? `border-inline-start-color:${colour}` : null },
    attachment.blocks ? blockNodes(attachment.blocks, surface) : el("div", { class: "text" }, mrkdwn(attachment.text ?? attachment.fallback ?? "")),
  );
}

function reactions(message, view) {
  if (!message.reactions?.length) return null;
  return el(
    "div",
    { class: "reactions" },
    message.reactions.map((reaction) => {
      const mine = reaction.users.includes(view.me());
      const names = reaction.users.map(nameOf).join(", ");
      return el(
        "button",
        {
          type: "button",
          class: `reaction ${mine ? "mine" : ""}`,
          title: `${names} reacted with :${reaction.name}:`,
          "aria-label": `${reaction.name.replaceAll("_", " ")}, ${reaction.count}, by ${names}`,
          "aria-pressed": String(mine),
          data: { name: reaction.name },
          "data-focus": `reaction-${reaction.name}`,
          on: { click: () => react(message, view, reaction.name) },
        },
        el("span", { class: "emoji", "aria-hidden": "true" }, findEmoji(reaction.name) ?? `:${reaction.name}:`),
        el("span", { class: "count" }, String(reaction.count)),
      );
    }),
  );
}

function react(message, view, name) {
  const mine = message.reactions?.find((reaction) => reaction.name === name)?.users.includes(view.me());
  return attempt(mine ? "unreact" : "react", { user: view.me(), channel: view.channel, ts: message.ts, name });
}

function repliesLink(view) {
  if (view.inThread || !view.replies?.length) return null;
  const people = [...new Set(view.replies.map((reply) => authorOf(reply).name))].slice(0, 3);
  const count = view.replies.length;
  return el(
    "button",
    { type: "button", class: "replies", "data-focus": "replies", on: { click: () => view.openThread(view.replies[0].thread_ts) } },
    el("span", { class: "stack", "aria-hidden": "true" }, people.map((name) => avatar(name, name === state.team.bot.name ? "app" : "person"))),
    el("strong", {}, `${count} ${count === 1 ? "reply" : "replies"}`),
    el("span", { class: "hint" }, "last ", timeOfTs(view.replies.at(-1).ts)),
  );
}

function dismissButton(message, view) {
  return el(
    "button",
    { type: "button", class: "link small", "data-focus": "dismiss", on: { click: () => attempt("dismiss", { user: view.me(), channel: view.channel, ts: message.ts }) } },
    "Dismiss message",
  );
}

function toolbar(message, view, author) {
  const tool = (label, iconName, run, focus) =>
    el("button", { type: "button", class: "tool", tabIndex: -1, "aria-label": label, title: label, "data-focus": focus, on: { click: (event) => run(event.currentTarget) } }, icon(iconName));
  return el(
    "div",
    { class: "toolbar", role: "toolbar", "aria-label": "Message actions" },
    QUICK.slice(0, 2).map((name) =>
      el(
        "button",
        { type: "button", class: "tool", tabIndex: -1, "aria-label": `React with ${name.replace("+1", "thumbs up")}`, on: { click: () => react(message, view, name) } },
        findEmoji(name),
      ),
    ),
    tool("Add a reaction (R)", "smile", (anchor) => pickReaction(anchor, message, view), "react"),
    view.inThread ? null : tool("Reply in thread (T)", "reply", () => view.openThread(message.thread_ts ?? message.ts), "reply"),
    tool("More actions (M)", "more", (anchor) => openActions(anchor, message, view, author), "more"),
  );
}

function keys(event, node, message, view, author) {
  if (event.target !== node || event.ctrlKey || event.metaKey || event.altKey) return;
  const mine = author.id === view.me();
  const runs = {
    t: () => view.openThread(message.thread_ts ?? message.ts),
    Enter: () => view.openThread(message.thread_ts ?? message.ts),
    r: () => pickReaction(node.querySelector("[data-focus=react]"), message, view),
    m: () => openActions(node.querySelector("[data-focus=more]"), message, view, author),
    e: () => mine && view.startEdit(message.ts),
    Delete: () => mine && remove(message, view),
  };
  const run = runs[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!run) return;
  event.preventDefault();
  run();
}

function openActions(anchor, message, view, author) {
  const entries = [];
  if (author.id === view.me()) {
    entries.push({ label: "Edit message", note: "E", run: () => view.startEdit(message.ts) });
    entries.push({ label: "Delete message…", note: "Del", danger: true, run: () => remove(message, view) });
  }
  for (const shortcut of state.team.shortcuts.filter((candidate) => candidate.type === "message")) {
    entries.push({
      label: shortcut.name,
      note: state.team.bot.name,
      run: () => attempt("shortcut", { user: view.me(), channel: view.channel, ts: message.ts, callback_id: shortcut.callback_id }),
    });
  }
  entries.push({ label: "Copy text", run: () => navigator.clipboard?.writeText(asTyped(message.text ?? "")) });
  openMenu(anchor, entries, "Message actions");
}

async function remove(message, view) {
  const agreed = await askConfirmation({
    title: "Delete message",
    text: "Are you sure you want to delete this message? This cannot be undone.",
    yes: "Delete",
    no: "Cancel",
    danger: true,
  });
  if (agreed) await attempt("delete", { user: view.me(), channel: view.channel, ts: message.ts });
}

function pickReaction(anchor, message, view) {
  const grid = el("div", { class: "emoji-grid" });
  const field = el("input", { class: "field", type: "search", placeholder: "Find an emoji", "aria-label": "Find an emoji" });
  const choose = (name) => {
    close();
    const had = message.reactions?.some((reaction) => reaction.name === name && reaction.users.includes(view.me()));
    if (!had) react(message, view, name);
  };
  const show = () =>
    grid.replaceChildren(
      ...searchEmoji(field.value || "").map((name) =>
        el("button", { type: "button", title: `:${name}:`, "aria-label": name.replaceAll("_", " "), on: { click: () => choose(name) } }, findEmoji(name)),
      ),
    );
  field.addEventListener("input", show);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const first = searchEmoji(field.value)[0];
    if (first) choose(first);
  });
  const panel = el("div", { class: "panel picker", role: "dialog", "aria-label": "Add a reaction" }, field, grid);
  const close = openPanel(anchor, panel);
  show();
  field.focus();
}

function editor(message, view) {
  const field = el("textarea", { class: "field", rows: 2, value: asTyped(message.text ?? ""), "aria-label": "Edit message" });
  const save = () => {
    view.stopEdit();
    const text = field.value.trim();
    if (text && text !== asTyped(message.text)) attempt("edit", { user: view.me(), channel: view.channel, ts: message.ts, text });
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      view.stopEdit();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      save();
    }
  });
  queueMicrotask(() => {
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  });
  return el(
    "div",
    { class: "editor" },
    field,
    el(
      "div",
      { class: "editor-buttons" },
      el("button", { type: "button", class: "button", on: { click: view.stopEdit } }, "Cancel"),
      el("button", { type: "button", class: "button primary", on: { click: save } }, "Save"),
    ),
  );
}
