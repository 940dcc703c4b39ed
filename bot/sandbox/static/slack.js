// The Slack window: channel list, channel, thread, home tab, and which teammate sits before it.

import { avatar } from "./avatars.js";
import { composer, deliver } from "./composer.js";
import { el, icon, jumpToEnd, keepAtEnd, reconcile, replace } from "./dom.js";
import { homeNode } from "./home.js";
import { attempt, state, watch } from "./live.js";
import { openMenu } from "./menu.js";
import { authorOf, messageNode } from "./messages.js";
import { showViews } from "./modal.js";
import { plain } from "./mrkdwn.js";

const FOLLOWS_WITHIN_SECONDS = 300;

const now = { user: null, channel: null, place: "channel", thread: null, editing: null };
const seen = new Map();
const me = () => now.user;

const nodes = {};

/** Build the window inside `root`. Needs the first state. */
export function startSlack(root) {
  now.user = state.team.users[0].id;
  now.channel = state.team.channels[0].id;
  for (const item of state.team.channels) seen.set(item.id, messagesOf(item.id).length);
  nodes.sidebar = el("nav", { class: "sidebar", "aria-label": "Slack" });
  nodes.head = el("header", { class: "channel-head" });
  nodes.list = el("div", { class: "messages", role: "log", "aria-live": "polite", "aria-label": "Messages in the channel" });
  nodes.home = el("div", { class: "home", hidden: true });
  nodes.composer = composer({
    label: () => `Message ${channel().im_user ? "" : "#"}${channel().name}`,
    send: (draft) => deliver(draft, { user: now.user, channel: now.channel }),
    editLast: () => editLast(null),
  });
  nodes.main = el("section", { class: "channel", "aria-label": "Channel" }, nodes.head, nodes.list, nodes.home, nodes.composer.node);
  nodes.threadList = el("div", { class: "messages", role: "log", "aria-live": "polite", "aria-label": "Messages in the thread" });
  nodes.threadComposer = composer({
    label: () => "Reply…",
    send: (draft) => deliver(draft, { user: now.user, channel: now.channel, threadTs: now.thread }),
    editLast: () => editLast(now.thread),
    inThread: true,
  });
  nodes.thread = el(
    "aside",
    { class: "thread", "aria-label": "Thread", hidden: true },
    el(
      "header",
      { class: "channel-head" },
      el("h2", {}, "Thread"),
      el("span", { class: "hint", id: "thread-channel" }),
      el("button", { type: "button", class: "icon-button", "aria-label": "Close thread", title: "Close (Esc)", on: { click: closeThread } }, icon("close")),
    ),
    nodes.threadList,
    nodes.threadComposer.node,
  );
  nodes.thread.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) closeThread();
  });
  for (const list of [nodes.list, nodes.threadList]) list.addEventListener("keydown", (event) => moveBetween(event, list));
  root.append(nodes.sidebar, nodes.main, nodes.thread);
  watch("team", draw);
  watch("channel:", draw);
  watch("person:", () => {
    draw();
    showViews(now.user);
  });
  draw();
  showViews(now.user);
}

const channel = () => state.team.channels.find((candidate) => candidate.id === now.channel) ?? state.team.channels[0];
const messagesOf = (id) => state[`channel:${id}`]?.messages ?? [];
const isReply = (message) => message.thread_ts && message.thread_ts !== message.ts;

/** What the channel itself shows: roots, and replies that were also sent to it. */
function topLevel(id) {
  return messagesOf(id).filter((message) => !isReply(message) || message.subtype === "thread_broadcast");
}

function ephemerals(threadTs) {
  return (state[`person:${now.user}`]?.ephemerals ?? [])
    .filter((message) => message.channel === now.channel && (message.thread_ts ?? null) === threadTs)
    .map((message) => ({ ...message, ephemeral: true }));
}

const byTs = (a, b) => Number(a.ts) - Number(b.ts);

function draw() {
  drawSidebar();
  drawHead();
  const atHome = now.place === "home";
  nodes.list.hidden = atHome;
  nodes.composer.node.hidden = atHome;
  nodes.home.hidden = !atHome;
  if (atHome) {
    drawHome();
  } else {
    const all = messagesOf(now.channel);
    const replies = Map.groupBy ? Map.groupBy(all.filter(isReply), (reply) => reply.thread_ts) : groupByThread(all.filter(isReply));
    drawList(nodes.list, [...topLevel(now.channel), ...ephemerals(null)].sort(byTs), { replies, inThread: false });
    seen.set(now.channel, all.length);
  }
  drawThread();
}

function groupByThread(replies) {
  const groups = new Map();
  for (const reply of replies) groups.set(reply.thread_ts, [...(groups.get(reply.thread_ts) ?? []), reply]);
  return groups;
}

function drawList(list, messages, { replies, inThread }) {
  const follows = (message, index) => {
    const before = messages[index - 1];
    return Boolean(before) && !message.ephemeral && !before.ephemeral && message.subtype !== "thread_broadcast" &&
      !(inThread && index === 1) && !replies?.get(before.ts)?.length && authorOf(before).name === authorOf(message).name &&
      Number(message.ts) - Number(before.ts) < FOLLOWS_WITHIN_SECONDS;
  };
  keepAtEnd(list, () =>
    reconcile(list, messages, {
      keyOf: (message) => `${message.ephemeral ? "e" : "m"}${message.ts}`,
      stamp: (message, index) =>
        JSON.stringify([message, follows(message, index), replies?.get(message.ts)?.length ?? 0, now.user, now.editing === message.ts]),
      build: (message, index) =>
        messageNode(message, {
          me,
          channel: now.channel,
          inThread,
          follows: follows(message, index),
          replies: replies?.get(message.ts),
          editing: now.editing === message.ts,
          openThread,
          startEdit: (ts) => setEditing(ts),
          stopEdit: () => setEditing(null),
        }),
    }),
  );
  if (!list.querySelector(":scope > [tabindex='0']") && list.lastElementChild) list.lastElementChild.tabIndex = 0;
}

function setEditing(ts) {
  const before = now.editing;
  now.editing = ts;
  draw();
  if (ts === null && before) {
    for (const list of [nodes.threadList, nodes.list]) list.querySelector(`[data-ts="${before}"]`)?.focus();
  }
}

function drawThread() {
  const root = now.place === "channel" && now.thread ? messagesOf(now.channel).find((message) => message.ts === now.thread) : null;
  const replies = now.thread ? messagesOf(now.channel).filter((message) => isReply(message) && message.thread_ts === now.thread) : [];
  const shown = now.place === "channel" && Boolean(root || replies.length);
  nodes.thread.hidden = !shown;
  nodes.thread.parentElement.classList.toggle("with-thread", shown);
  if (!shown) return;
  nodes.thread.querySelector("#thread-channel").textContent = `#${channel().name}`;
  const rows = [...replies, ...ephemerals(now.thread)].sort(byTs);
  drawList(nodes.threadList, root ? [root, ...rows] : rows, { replies: null, inThread: true });
}

function openThread(ts) {
  now.thread = ts;
  now.place = "channel";
  nodes.threadList.replaceChildren();
  draw();
  jumpToEnd(nodes.threadList);
  nodes.threadComposer.field.focus();
}

function closeThread() {
  const root = now.thread;
  now.thread = null;
  draw();
  (nodes.list.querySelector(`[data-ts="${root}"]`) ?? nodes.composer.field).focus();
}

/** Start editing the last message that the teammate wrote here. */
function editLast(threadTs) {
  const here = threadTs
    ? messagesOf(now.channel).filter((message) => message.thread_ts === threadTs)
    : topLevel(now.channel);
  const last = here.filter((message) => message.user === now.user && !message.bot_id).at(-1);
  if (last) setEditing(last.ts);
}

/** Arrow keys move between the messages of a list; only one of them is in the tab order. */
function moveBetween(event, list) {
  const node = event.target;
  if (node.parentElement !== list) return;
  const next = { ArrowUp: node.previousElementSibling, ArrowDown: node.nextElementSibling, Home: list.firstElementChild, End: list.lastElementChild }[event.key];
  if (!next) return;
  event.preventDefault();
  for (const child of list.children) child.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

function drawHead() {
  const atHome = now.place === "home";
  const here = channel();
  replace(
    nodes.head,
    atHome
      ? [avatar(state.team.bot.name, "app"), el("h2", {}, state.team.bot.name), el("span", { class: "hint" }, "Home")]
      : [el("h2", {}, here.im_user ? "" : "# ", here.name), el("span", { class: "hint topic" }, plain(here.topic ?? ""))],
  );
  nodes.composer.relabel();
}

function drawHome() {
  const view = state[`person:${now.user}`]?.home ?? null;
  const mark = JSON.stringify([now.user, view]);
  if (nodes.home.dataset.mark === mark) return;
  nodes.home.dataset.mark = mark;
  replace(nodes.home, homeNode(view, me));
}

function drawSidebar() {
  const user = state.team.users.find((candidate) => candidate.id === now.user) ?? state.team.users[0];
  const focused = document.activeElement?.closest?.(".sidebar") ? document.activeElement.dataset.focus : null;
  replace(
    nodes.sidebar,
    el("div", { class: "workspace" }, el("strong", {}, state.team.name)),
    el("h3", {}, "Channels"),
    el("ul", {}, state.team.channels.filter((item) => !item.im_user).map(channelItem)),
    el("h3", {}, "Apps"),
    el(
      "ul",
      {},
      el(
        "li",
        {},
        el(
          "button",
          { type: "button", class: "side-item", "data-focus": "home", "aria-current": now.place === "home" ? "page" : null, on: { click: goHome } },
          avatar(state.team.bot.name, "app"),
          state.team.bot.name,
        ),
      ),
      state.team.channels.filter((item) => item.im_user === now.user && messagesOf(item.id).length).map(channelItem),
    ),
    el(
      "button",
      { type: "button", class: "who", "aria-haspopup": "menu", "data-focus": "who", "aria-label": `You are ${user.name}. Change teammate`, on: { click: chooseUser } },
      avatar(user.name),
      el("span", {}, el("strong", {}, user.name), el("span", { class: "hint" }, user.title ?? (user.guest ? "Guest" : "Teammate"))),
      icon("chevron"),
    ),
  );
  if (focused) nodes.sidebar.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

function channelItem(item) {
  const here = now.place === "channel" && item.id === now.channel;
  const isNew = !here && messagesOf(item.id).length > (seen.get(item.id) ?? 0);
  return el(
    "li",
    {},
    el(
      "button",
      {
        type: "button", class: `side-item ${isNew ? "unread" : ""}`, "data-focus": item.id, "aria-current": here ? "page" : null,
        "aria-label": `${item.name}${isNew ? ", new messages" : ""}`, on: { click: () => goTo(item.id) },
      },
      icon(item.im_user ? "reply" : "hash"),
      item.im_user ? "Direct messages" : item.name,
      item.archived ? el("span", { class: "hint" }, "archived") : null,
    ),
  );
}

function goTo(id) {
  if (id !== now.channel) now.thread = null;
  now.channel = id;
  now.place = "channel";
  nodes.list.replaceChildren();
  draw();
  jumpToEnd(nodes.list);
}

function goHome() {
  now.place = "home";
  draw();
  attempt("home", { user: now.user });
}

function chooseUser(event) {
  openMenu(
    event.currentTarget,
    state.team.users.map((user) => ({
      label: user.name,
      note: user.title ?? "",
      run: () => {
        now.user = user.id;
        now.editing = null;
        if (channel().im_user) now.channel = state.team.channels[0].id;
        if (now.place === "home") goHome();
        else draw();
        showViews(now.user);
        nodes.sidebar.querySelector("[data-focus=who]").focus();
      },
    })),
    "Teammates",
  );
}
