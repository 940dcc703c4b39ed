// `rich_text` blocks: sections, lists, quotes and preformatted text, each a row of typed elements.

import { el } from "./dom.js";
import { emojiNode } from "./emoji.js";
import { linkNode, nameOf } from "./mrkdwn.js";
import { state } from "./live.js";

/** Return the node for one `rich_text` block. */
export function richText(block) {
  return el("div", { class: "rich-text" }, (block.elements ?? []).map(piece));
}

function piece(element) {
  switch (element.type) {
    case "rich_text_section":
      return el("div", { class: "rich-section" }, parts(element));
    case "rich_text_quote":
      return el("blockquote", {}, parts(element));
    case "rich_text_preformatted":
      return el("pre", {}, parts(element));
    case "rich_text_list":
      return list(element);
    default:
      return null;
  }
}

function list(element) {
  const items = (element.elements ?? []).map((item) => el("li", {}, parts(item)));
  const tag = element.style === "ordered" ? "ol" : "ul";
  return el(tag, { style: element.indent ? `margin-inline-start:${element.indent * 1.4}em` : null }, items);
}

function parts(element) {
  return (element.elements ?? []).map((part) => styled(partNode(part), part.style));
}

function partNode(part) {
  switch (part.type) {
    case "text":
      return document.createTextNode(part.text);
    case "link":
      return linkNode(part.url, part.text);
    case "emoji":
      return part.unicode ? document.createTextNode(fromCodes(part.unicode)) : emojiNode(part.name);
    case "user":
      return el("span", { class: "mention" }, `@${nameOf(part.user_id)}`);
    case "usergroup":
      return el("span", { class: "mention" }, "@group");
    case "channel":
      return el("span", { class: "mention" }, `#${state.team?.channels.find((c) => c.id === part.channel_id)?.name ?? part.channel_id}`);
    case "broadcast":
      return el("span", { class: "mention" }, `@${part.range}`);
    case "date":
      return el("time", {}, part.fallback ?? new Date(part.timestamp * 1000).toLocaleString());
    default:
      return document.createTextNode(part.text ?? "");
  }
}

function fromCodes(unicode) {
  return String.fromCodePoint(...unicode.split("-").map((code) => parseInt(code, 16)));
}

function styled(node, style = {}) {
  let result = node;
  if (style.code) result = el("code", {}, result);
  if (style.bold) result = el("strong", {}, result);
  if (style.italic) result = el("em", {}, result);
  if (style.strike) result = el("s", {}, result);
  return result;
}
