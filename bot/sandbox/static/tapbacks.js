// Reactions on the phone's bubbles. They go out as texts that quote what they are about, as an iPhone sends them.

import { el, icon } from "./dom.js";
import { attempt, state } from "./live.js";
import { openMenu } from "./menu.js";

const LONGEST_QUOTE = 40;

/** The words that name a text to somebody who does not see it. */
function quote(text) {
  const short = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE - 1)}…` : text;
  return `“${short}”`;
}

const find = (name) => state.team.tapbacks.find((reaction) => reaction.name === name);

/** The button that opens the choice of reactions to `text`, on the phone `number`; null where there is nothing to quote. */
export function tapbackButton(text, number) {
  if (!text.text?.trim() || text.automatic) return null;
  return el(
    "button",
    {
      type: "button", class: "tap", tabIndex: -1, "aria-haspopup": "menu", "aria-expanded": "false", "data-focus": "tap",
      "aria-label": `React to ${quote(text.text)}`, title: "React", on: { click: (event) => choose(event.currentTarget, text, number) },
    },
    icon("smile"),
  );
}

/** The reaction that the phone's owner has put on `text`, or null. */
export function tapbackBadge(text) {
  const reaction = text.reaction && find(text.reaction);
  if (!reaction) return null;
  const words = `${reaction.added} ${quote(text.text)}`;
  return el("span", { class: "tapback", role: "img", "aria-label": words, title: `Sent as a text: ${words}` }, reaction.emoji);
}

function choose(anchor, text, number) {
  const react = (reaction, on) => attempt("tapback", { from: number, message_id: text.message_id, reaction: reaction.name, on });
  const given = text.reaction && find(text.reaction);
  const entries = given
    ? [{ label: `${given.emoji}  Take it back`, note: `${given.removed} “…”`, run: () => react(given, false) }]
    : state.team.tapbacks.map((reaction) => ({
        label: `${reaction.emoji}  ${reaction.label}`,
        run: () => react(reaction, true),
      }));
  openMenu(anchor, entries, "Reactions");
}

/** Leave one of the buttons in `list` in the tab order: the one in use, else the newest. */
export function keepOneStop(list) {
  const buttons = [...list.querySelectorAll(".tap")];
  const stop = buttons.find((button) => button === document.activeElement) ?? buttons.at(-1);
  for (const button of buttons) button.tabIndex = button === stop ? 0 : -1;
}

/** Arrow keys move between the buttons of a list. */
export function moveBetweenTaps(event, list) {
  if (!event.target.classList.contains("tap")) return;
  const buttons = [...list.querySelectorAll(".tap")];
  const at = buttons.indexOf(event.target);
  const next = { ArrowUp: buttons[at - 1], ArrowDown: buttons[at + 1], Home: buttons[0], End: buttons.at(-1) }[event.key];
  if (!next) return;
  event.preventDefault();
  next.focus();
  keepOneStop(list);
}
