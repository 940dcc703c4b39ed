// Slack's mrkdwn, read into nodes: <tokens>, *bold*, _italic_, ~struck~, `code`, ```blocks```, > quotes, :emoji:.

import { el } from "./dom.js";
import { emojiNode } from "./emoji.js";
import { state } from "./live.js";

// Slack takes the sign as it is and as an entity.
const QUOTED = /^(?:&gt;|>) ?/;
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

/** Undo the three escapes that Slack has. */
export function unescape(text) {
  return text.replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity]);
}

/** Return the display name of a Slack user id. */
export function nameOf(userId) {
  const team = state.team ?? { users: [] };
  if (userId === team.bot?.user_id) return team.bot.name;
  return team.users.find((user) => user.id === userId)?.name ?? userId;
}

/** Return stored text as a person typed it: mentions as @Name, links as their words, nothing escaped. */
export function asTyped(text) {
  const open = text.replace(/<([^<>\n]*)>/g, (_, token) => {
    const [target, label] = split(token);
    if (target[0] === "@") return `@${nameOf(target.slice(1))}`;
    if (target[0] === "#") return `#${label || channelName(target.slice(1))}`;
    if (target[0] === "!") return label ?? `@${target.slice(1)}`;
    return label ?? target;
  });
  return unescape(open);
}

/** Return the nodes for a text object `{type, text, emoji}`. */
export function textObject(object) {
  if (!object) return [];
  return object.type === "mrkdwn" ? mrkdwn(object.text ?? "") : plain(object.text ?? "", object.emoji !== false);
}

/** Return the nodes for plain text: lines and, unless told otherwise, emoji by name. */
export function plain(text, emoji = true) {
  const shown = unescape(text);
  return emoji ? withEmoji(shown) : [shown];
}

function withEmoji(text) {
  const nodes = [];
  let rest = 0;
  for (const match of text.matchAll(/:([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):/g)) {
    nodes.push(text.slice(rest, match.index), emojiNode(match[1]));
    rest = match.index + match[0].length;
  }
  nodes.push(text.slice(rest));
  return nodes;
}

/** Return the nodes for mrkdwn text. */
export function mrkdwn(text) {
  const nodes = [];
  for (const [index, part] of text.split("```").entries()) {
    if (index % 2 === 1) nodes.push(el("pre", {}, unescape(part.replace(/^\n|\n$/g, ""))));
    else nodes.push(...quotes(part));
  }
  return nodes;
}

function quotes(text) {
  const nodes = [];
  let quoted = [];
  const lines = text.split("\n");
  const flush = () => {
    if (quoted.length) nodes.push(el("blockquote", {}, inline(quoted.join("\n"))));
    quoted = [];
  };
  lines.forEach((line, index) => {
    if (QUOTED.test(line)) {
      quoted.push(line.replace(QUOTED, ""));
      return;
    }
    flush();
    nodes.push(...inline(line));
    if (index < lines.length - 1 && !QUOTED.test(lines[index + 1])) nodes.push("\n");
  });
  flush();
  return nodes;
}

const INLINE = new RegExp(
  [
    "<([^<>\\n]*)>",
    "`([^`\\n]+)`",
    "(?<![\\p{L}\\p{N}])\\*(?=\\S)([^*\\n]*[^*\\s])\\*(?![\\p{L}\\p{N}])",
    "(?<![\\p{L}\\p{N}])_(?=\\S)([^_\\n]*[^_\\s])_(?![\\p{L}\\p{N}])",
    "(?<![\\p{L}\\p{N}])~(?=\\S)([^~\\n]*[^~\\s])~(?![\\p{L}\\p{N}])",
  ].join("|"),
  "gu",
);

function inline(text) {
  const nodes = [];
  let rest = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(...plain(text.slice(rest, match.index)));
    rest = match.index + match[0].length;
    const [, token, code, bold, italic, struck] = match;
    if (token !== undefined) nodes.push(tokenNode(token));
    else if (code !== undefined) nodes.push(el("code", {}, unescape(code)));
    else if (bold !== undefined) nodes.push(el("strong", {}, inline(bold)));
    else if (italic !== undefined) nodes.push(el("em", {}, inline(italic)));
    else nodes.push(el("s", {}, inline(struck)));
  }
  nodes.push(...plain(text.slice(rest)));
  return nodes;
}

function tokenNode(token) {
  const [target, label] = split(token);
  const kind = target[0];
  if (kind === "@") return mention(`@${label || nameOf(target.slice(1))}`);
  if (kind === "#") return mention(`#${label || channelName(target.slice(1))}`);
  if (kind === "!") return special(target.slice(1), label);
  return linkNode(unescape(target), label ? unescape(label) : null);
}

function split(token) {
  const bar = token.indexOf("|");
  return bar < 0 ? [token, null] : [token.slice(0, bar), token.slice(bar + 1)];
}

function special(command, label) {
  const [name, ...rest] = command.split("^");
  if (name === "date") return dateNode(Number(rest[0]), rest[1] ?? "", label ?? "");
  if (name === "subteam") return mention(label || "@group");
  return mention(`@${label || name}`);
}

function mention(text) {
  return el("span", { class: "mention" }, unescape(text));
}

function channelName(id) {
  return state.team?.channels.find((channel) => channel.id === id)?.name ?? id;
}

/** Make a link; addresses other than http(s), mailto and tel stand as text. */
export function linkNode(address, label) {
  if (!/^(https?:|mailto:|tel:)/i.test(address)) return document.createTextNode(label ?? address);
  const shown = label || address.replace(/^(mailto|tel):/i, "");
  return el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, shown);
}

const DATE_PARTS = {
  "{date_num}": { year: "numeric", month: "2-digit", day: "2-digit" },
  "{date}": { year: "numeric", month: "long", day: "numeric" },
  "{date_short}": { year: "numeric", month: "short", day: "numeric" },
  "{date_long}": { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  "{time}": { hour: "numeric", minute: "2-digit" },
  "{time_secs}": { hour: "numeric", minute: "2-digit", second: "2-digit" },
};

function dateNode(seconds, pattern, fallback) {
  if (!Number.isFinite(seconds)) return document.createTextNode(unescape(fallback));
  const moment = new Date(seconds * 1000);
  const shown = pattern.replace(/\{(\w+?)(_pretty)?\}/g, (whole, part) => {
    const options = DATE_PARTS[`{${part}}`];
    return options ? new Intl.DateTimeFormat(undefined, options).format(moment) : whole;
  });
  return el("time", { datetime: moment.toISOString(), title: unescape(fallback) }, shown || unescape(fallback));
}
