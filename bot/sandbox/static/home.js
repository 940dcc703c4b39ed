// The app's home tab.

import { blockNodes } from "./blocks.js";
import { el } from "./dom.js";
import { Surface } from "./surface.js";

/** Return the nodes of a published home view, or a word that there is none yet. */
export function homeNode(view, me) {
  if (!view) return el("p", { class: "empty" }, "The app has not published anything here yet.");
  const surface = new Surface({ view_id: view.id }, me);
  return el("div", { class: "home-body" }, blockNodes(view.blocks, surface));
}
