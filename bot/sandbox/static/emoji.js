// Emoji as Slack writes them (`:thumbsup:`, `+1::skin-tone-3`) and as people see them.

import { el } from "./dom.js";
import { EMOJI } from "./emoji_names.js";

const SKIN_TONES = { 2: "\u{1F3FB}", 3: "\u{1F3FC}", 4: "\u{1F3FD}", 5: "\u{1F3FE}", 6: "\u{1F3FF}" };

/** Second names of the same picture: found when asked for, not offered. */
const TWINS = new Set(["thumbsup", "thumbsdown", "pencil", "poop", "facepunch", "email", "e-mail", "raised_hand", "telephone"]);

/** The reactions offered at once; the rest are found by name. */
export const QUICK = ["+1", "heart", "joy", "white_check_mark", "eyes"];

/** Return the character for a Slack emoji name, or null for one that this page does not know. */
export function findEmoji(name) {
  const [base, tone] = name.split("::");
  const character = EMOJI.get(base);
  if (!character) return null;
  const skin = tone ? SKIN_TONES[tone.replace("skin-tone-", "")] : "";
  return character + (skin ?? "");
}

/** Make the node for a Slack emoji name; unknown names stand as `:name:`. */
export function emojiNode(name) {
  const character = findEmoji(name);
  if (!character) return document.createTextNode(`:${name}:`);
  return el("span", { class: "emoji", role: "img", "aria-label": `${name.replaceAll("_", " ")} emoji`, title: `:${name}:` }, character);
}

/** Names that contain `part`, those that begin with it first. */
export function searchEmoji(part, limit = 40) {
  const wanted = part.toLowerCase().replaceAll(":", "").replaceAll(" ", "_");
  const names = [...EMOJI.keys()].filter((name) => name.includes(wanted) && (wanted || !TWINS.has(name)));
  names.sort((a, b) => Number(b.startsWith(wanted)) - Number(a.startsWith(wanted)));
  return names.slice(0, limit);
}
