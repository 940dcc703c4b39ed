// The customers' phone: one device, several customers to look over the shoulder of.

import { avatar } from "./avatars.js";
import { askForCustomer } from "./customer_form.js";
import { el, icon, jumpToEnd, keepAtEnd, reconcile, replace } from "./dom.js";
import { fileSize, isPicture, waitingFiles } from "./files.js";
import { askForGroup } from "./group_form.js";
import { attempt, packFile, state, watch } from "./live.js";
import { openMenu } from "./menu.js";
import { SAMPLES } from "./pictures.js";
import { keepOneStop, moveBetweenTaps, tapbackBadge, tapbackButton } from "./tapbacks.js";
import { exactTime, prettyNumber, timeOfIso } from "./times.js";

/** `peers` are conversations that were picked, by phone; `held` is the one in which something half written stands. */
const now = { number: null, peers: new Map(), held: null, files: [] };
/** How many texts of each conversation have been looked at, by phone and conversation. */
const read = new Map();
const nodes = {};

/** Build the phone inside `root`. Needs the first state. */
export function startPhone(root) {
  now.number = state.customers[0].number;
  for (const person of state.customers) for (const talk of conversationsOf(person.number)) markRead(person.number, talk);
  nodes.tabs = el("div", { class: "tabs", role: "tablist", "aria-label": "Customers" });
  nodes.tabs.addEventListener("keydown", moveBetweenPeople);
  nodes.people = el(
    "div",
    { class: "people" },
    nodes.tabs,
    el(
      "button",
      { type: "button", class: "person add", "aria-label": "Add a customer", title: "Add a customer", on: { click: addCustomer } },
      el("span", { class: "avatar" }, icon("plus")),
      el("span", { class: "person-name" }, "Add"),
    ),
  );
  nodes.clock = el("span", {}, exactTime(new Date().toISOString()).slice(0, 5));
  setInterval(() => {
    nodes.clock.textContent = exactTime(new Date().toISOString()).slice(0, 5);
  }, 10_000);
  nodes.head = el("header", { class: "phone-head" });
  nodes.list = el("div", { class: "bubbles", role: "log", "aria-live": "polite", "aria-label": "Texts on the phone", tabIndex: 0 });
  nodes.list.addEventListener("keydown", (event) => moveBetweenTaps(event, nodes.list));
  nodes.chips = el("div", { class: "chips" });
  nodes.field = el("textarea", { class: "phone-field", rows: 1, placeholder: "Text message", "aria-label": "Text message", autocomplete: "off" });
  nodes.chooser = el("input", { type: "file", multiple: true, accept: "image/*,video/*,audio/*,.vcf,.pdf", hidden: true, tabIndex: -1, "aria-label": "Pictures to send" });
  nodes.send = el("button", { type: "submit", class: "icon-button send", "aria-label": "Send text", title: "Send (Enter)", disabled: true }, icon("send"));
  nodes.composer = el(
    "form",
    { class: "phone-composer" },
    nodes.chips,
    el(
      "div",
      { class: "phone-row" },
      el("button", { type: "button", class: "icon-button", "aria-label": "Add a picture", title: "Add a picture", "aria-haspopup": "menu", on: { click: pickPicture } }, icon("picture")),
      nodes.field,
      nodes.send,
    ),
    nodes.chooser,
  );
  nodes.composer.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  nodes.chooser.addEventListener("change", async () => {
    addFiles(await Promise.all([...nodes.chooser.files].map(packFile)));
    nodes.chooser.value = "";
  });
  nodes.field.addEventListener("input", refresh);
  nodes.field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  root.append(
    nodes.people,
    el(
      "div",
      { class: "device" },
      el("div", { class: "status-bar", "aria-hidden": "true" }, nodes.clock, el("span", { class: "signal" })),
      nodes.head,
      nodes.list,
      nodes.composer,
    ),
  );
  watch("customers", draw);
  watch("phone:", draw);
  draw();
}

/** Show the phone of `number`: the conversation `peer` where one is named, whichever is newest where it is null, else as it was. */
export function showPhone(number, peer) {
  now.number = number;
  if (peer) now.peers.set(number, peer);
  else if (peer === null) now.peers.delete(number);
  nodes.list.replaceChildren();
  draw();
  jumpToEnd(nodes.list);
}

const customer = () => state.customers.find((person) => person.number === now.number) ?? state.customers[0];
const conversationsOf = (number) => state[`phone:${number}`]?.conversations ?? [];

/** The key of the conversation that is shown: our number, and for a group its other members too. */
function peer() {
  const held = now.held?.number === now.number ? now.held.peer : null;
  return now.peers.get(now.number) ?? held ?? conversationsOf(now.number).at(-1)?.peer ?? state.team.numbers[0];
}

function texts() {
  return conversationsOf(now.number).find((talk) => talk.peer === peer())?.texts ?? [];
}

const received = (talk) => talk.texts.filter((text) => !text.mine).length;

function markRead(number, talk) {
  read.set(`${number} ${talk.peer}`, received(talk));
}

function isUnread(number, talk) {
  return received(talk) > (read.get(`${number} ${talk.peer}`) ?? 0);
}

function draw() {
  const shown = conversationsOf(now.number).find((talk) => talk.peer === peer());
  if (shown) markRead(now.number, shown);
  drawPeople();
  drawHead();
  keepAtEnd(nodes.list, () =>
    reconcile(nodes.list, texts(), {
      keyOf: (text) => text.id,
      stamp: (text) => JSON.stringify(text),
      build: bubble,
    }),
  );
  keepOneStop(nodes.list);
  refresh();
}

function drawPeople() {
  const focused = nodes.tabs.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  replace(
    nodes.tabs,
    state.customers.map((person) => {
      const selected = person.number === now.number;
      const unread = conversationsOf(person.number).some((talk) => isUnread(person.number, talk));
      return el(
        "button",
        {
          type: "button", role: "tab", class: "person", "aria-selected": String(selected), tabIndex: selected ? 0 : -1,
          "data-focus": person.number, title: `${person.name} ${person.number}`,
          "aria-label": `${person.name}, ${person.number}${unread ? ", new text" : ""}`, on: { click: () => showPhone(person.number) },
        },
        el("span", { class: unread ? "dotted" : "" }, avatar(person.name)),
        el("span", { class: "person-name" }, person.name.split(" ")[0]),
      );
    }),
  );
  if (focused) nodes.tabs.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

function moveBetweenPeople(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const at = state.customers.findIndex((person) => person.number === now.number);
  showPhone(state.customers[(at + step + state.customers.length) % state.customers.length].number);
  nodes.tabs.querySelector("[aria-selected=true]").focus();
}

async function addCustomer() {
  const added = await askForCustomer();
  if (added) showPhone(added.number);
}

function drawHead() {
  const current = peer();
  const unread = conversationsOf(now.number).filter((talk) => talk.peer !== current && isUnread(now.number, talk)).map((talk) => talk.peer);
  const mark = JSON.stringify([customer(), peerName(current), current, unread]);
  if (nodes.head.dataset.mark === mark) return; // what is as it was keeps its focus and its open menu
  nodes.head.dataset.mark = mark;
  const hadFocus = nodes.head.contains(document.activeElement);
  replace(
    nodes.head,
    el("div", { class: "owner" }, el("strong", {}, `${customer().name}’s phone`), el("span", { class: "hint" }, customer().number)),
    el(
      "button",
      {
        type: "button", class: "peer", "aria-haspopup": "menu",
        "aria-label": `Texting with ${peerName(current)}${unread.length ? "; new text in another conversation" : ""}`,
        on: { click: (event) => pickPeer(event.currentTarget, unread) },
      },
      el("span", { class: "hint" }, "to"),
      el("span", { class: `peer-name ${unread.length ? "dotted" : ""}` }, peerName(current)),
      icon("chevron"),
    ),
  );
  if (hadFocus) nodes.head.querySelector(".peer").focus();
}

function peerName(address) {
  return address.split(",").map(nameOfNumber).join(" + ");
}

function nameOfNumber(number) {
  const person = state.customers.find((candidate) => candidate.number === number);
  if (person) return person.name;
  return state.team.numbers.includes(number) ? `${state.team.name} ${prettyNumber(number)}` : prettyNumber(number);
}

function pickPeer(anchor, unread) {
  const known = new Set([...state.team.numbers, ...conversationsOf(now.number).map((talk) => talk.peer), peer()]);
  const entries = [...known].map((address) => ({
    label: peerName(address),
    note: unread.includes(address) ? "new" : null,
    run: () => {
      showPhone(now.number, address);
      nodes.head.querySelector(".peer").focus();
    },
  }));
  if (state.customers.length > 1) entries.push({ label: "Text as a group with…", run: startGroup });
  openMenu(anchor, entries, "Conversations");
}

async function startGroup() {
  const [ours] = peer().split(",");
  const others = await askForGroup(customer(), state.customers.filter((person) => person.number !== now.number));
  if (!others) {
    nodes.head.querySelector(".peer").focus();
    return;
  }
  showPhone(now.number, [ours, ...others.sort()].join(","));
  nodes.field.focus();
}

function bubble(text) {
  const group = peer().includes(",") && !text.mine;
  return el(
    "div",
    { class: `bubble-row ${text.mine ? "mine" : "theirs"} ${text.automatic ? "automatic" : ""}` },
    text.automatic ? el("span", { class: "bubble-note" }, "Automatic answer by the carrier") : null,
    group ? el("span", { class: "bubble-note" }, nameOfNumber(text.from)) : null,
    (text.media ?? []).map(mediaNode),
    text.subject ? el("div", { class: "bubble subject" }, text.subject) : null,
    text.text
      ? el("div", { class: "bubble-line" }, el("div", { class: "bubble" }, text.text), tapbackBadge(text), tapbackButton(text, now.number))
      : null,
    el("span", { class: "bubble-time" }, timeOfIso(text.at)),
  );
}

function mediaNode(item) {
  if (isPicture(item.type)) {
    return el("a", { href: item.url, target: "_blank", rel: "noopener" }, el("img", { class: "bubble-picture", src: item.url, alt: item.name || "Picture" }));
  }
  return el(
    "a",
    { class: "bubble attached", href: item.url, download: item.name || "file" },
    icon("clip"),
    el("span", {}, el("strong", {}, item.name || "File"), el("span", {}, `${item.type} ${fileSize(item.size)}`)),
  );
}

function addFiles(files) {
  now.files = [...now.files, ...files];
  refresh();
  nodes.field.focus();
}

function refresh() {
  nodes.field.style.height = "auto";
  nodes.field.style.height = `${Math.min(120, nodes.field.scrollHeight)}px`;
  const empty = !nodes.field.value.trim() && !now.files.length;
  now.held = empty ? null : { number: now.number, peer: peer() }; // a text that comes meanwhile does not change who gets this one
  nodes.send.disabled = empty;
  replace(nodes.chips, waitingFiles(now.files, (index) => { now.files = now.files.filter((_, at) => at !== index); refresh(); }));
}

function pickPicture(event) {
  openMenu(
    event.currentTarget,
    [
      ...SAMPLES.map((sample) => ({ label: sample.label, run: async () => addFiles([await sample.make()]) })),
      { label: "Choose a file…", run: () => nodes.chooser.click() },
    ],
    "Pictures",
  );
}

async function send() {
  const text = nodes.field.value;
  const files = now.files;
  if (!text.trim() && !files.length) return;
  const [to, ...others] = peer().split(",");
  nodes.field.value = "";
  now.files = [];
  refresh();
  const taken = await attempt("text", { from: now.number, to, cc: others, text, media: files });
  if (!taken && !nodes.field.value) {
    nodes.field.value = text;
    now.files = files;
    refresh();
  }
}
