// Round pictures for people: initials on a colour of their own.

import { el } from "./dom.js";

/** Return a hue that is the same for the same text. */
function hueOf(text) {
  let hash = 7;
  for (const character of text) hash = (hash * 31 + character.codePointAt(0)) % 997;
  return (hash * 47) % 360;
}

/** Make the avatar of `name`; `kind` is `person` or `app`. */
export function avatar(name, kind = "person") {
  const words = name.replace(/[^\p{L}\p{N} ]/gu, "").split(" ").filter(Boolean);
  const initials = words.length > 1 ? words[0][0] + words.at(-1)[0] : (words[0] ?? "?").slice(0, 1);
  const shown = kind === "app" ? "✉" : initials.toUpperCase();
  return el("span", { class: kind === "app" ? "avatar app" : "avatar", style: kind === "app" ? null : `--hue:${hueOf(name)}`, "aria-hidden": "true" }, shown);
}
