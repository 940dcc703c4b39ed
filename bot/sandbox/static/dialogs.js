// Questions that must be answered before anything else: the browser's own modal dialog keeps the focus and knows Escape.

import { el, freshId } from "./dom.js";
import { textObject } from "./mrkdwn.js";

/** Run `action` at once, or, where the app wants a confirmation, after the person has given it. Resolves when all is done. */
export async function confirmFirst(confirm, action) {
  if (!confirm) return action();
  const agreed = await askConfirmation({
    title: textObject(confirm.title),
    text: textObject(confirm.text),
    yes: textObject(confirm.confirm),
    no: textObject(confirm.deny),
    danger: confirm.style === "danger",
  });
  return agreed ? action() : null;
}

/** Ask; resolves to true or false. `title`, `text`, `yes` and `no` are nodes or strings. */
export function askConfirmation({ title, text, yes, no, danger }) {
  return new Promise((resolve) => {
    const titleId = freshId("title");
    const dialog = el(
      "dialog",
      { class: "dialog small", "aria-labelledby": titleId },
      el(
        "form",
        { method: "dialog" },
        el("header", {}, el("h2", { id: titleId }, title)),
        el("div", { class: "dialog-body text" }, text),
        el(
          "footer",
          {},
          el("button", { value: "no", class: "button" }, no),
          el("button", { value: "yes", class: `button ${danger ? "danger" : "primary"}`, autofocus: true }, yes),
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
