// The form for a text to several at once: whom the group has besides the phone's owner.

import { avatar } from "./avatars.js";
import { el, freshId } from "./dom.js";
import { prettyNumber } from "./times.js";

/** How many customers a group may have: the carrier answers at most this many at once. */
const MOST = 8;

/** Ask which of `people` (`{name, number}`) are in `owner`'s group; resolves to their numbers, or null. */
export function askForGroup(owner, people) {
  return new Promise((resolve) => {
    let chosen = null;
    const titleId = freshId("title");
    const errorId = freshId("error");
    const boxes = people.map((person, index) => el("input", { type: "checkbox", value: person.number, autofocus: index === 0, "aria-describedby": errorId }));
    const error = el("p", { class: "field-error", role: "alert", id: errorId });
    const dialog = el(
      "dialog",
      { class: "dialog small", "aria-labelledby": titleId },
      el(
        "form",
        { method: "dialog", novalidate: true },
        el("header", {}, el("h2", { id: titleId }, `${owner.name} texts as a group with…`)),
        el(
          "div",
          { class: "dialog-body" },
          el(
            "fieldset",
            { class: "members" },
            el("legend", { class: "sr-only" }, "Who else is in the group"),
            people.map((person, index) =>
              el(
                "label",
                { class: "member" },
                boxes[index],
                avatar(person.name),
                el("span", {}, el("strong", {}, person.name), el("span", { class: "hint" }, prettyNumber(person.number))),
              ),
            ),
          ),
          error,
        ),
        el(
          "footer",
          {},
          el("button", { type: "button", class: "button", on: { click: () => dialog.close() } }, "Cancel"),
          el("button", { type: "submit", class: "button primary" }, "Write to the group"),
        ),
      ),
    );
    dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      const numbers = boxes.filter((box) => box.checked).map((box) => box.value);
      if (!numbers.length || numbers.length >= MOST) {
        error.textContent = numbers.length ? `A group has at most ${MOST} customers, ${owner.name} included.` : "Choose one person at least.";
        boxes[0].focus();
        return;
      }
      chosen = numbers;
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(chosen);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
