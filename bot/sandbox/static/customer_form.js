// The form for one more customer.

import { el, freshId } from "./dom.js";
import { ask } from "./live.js";

/** Ask for a name and a number; resolves to the customer added, or null. */
export function askForCustomer() {
  return new Promise((resolve) => {
    let added = null;
    const nameId = freshId("name");
    const numberId = freshId("number");
    const titleId = freshId("title");
    const name = el("input", { id: nameId, class: "field", autocomplete: "off", maxlength: 60, placeholder: "Sam Rivera", autofocus: true });
    const number = el("input", { id: numberId, class: "field", autocomplete: "off", inputmode: "tel", maxlength: 20, placeholder: "+1 415 555 0142" });
    const error = el("p", { class: "field-error", role: "alert" });
    const dialog = el(
      "dialog",
      { class: "dialog small", "aria-labelledby": titleId },
      el(
        "form",
        { method: "dialog", novalidate: true },
        el("header", {}, el("h2", { id: titleId }, "Add a customer")),
        el(
          "div",
          { class: "dialog-body" },
          el("div", { class: "block input" }, el("label", { class: "label", for: nameId }, "Name"), name),
          el("div", { class: "block input" }, el("label", { class: "label", for: numberId }, "Phone number"), number),
          error,
        ),
        el(
          "footer",
          {},
          el("button", { type: "button", class: "button", on: { click: () => dialog.close() } }, "Cancel"),
          el("button", { type: "submit", class: "button primary" }, "Add"),
        ),
      ),
    );
    dialog.querySelector("form").addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        added = (await ask("add_customer", { name: name.value, number: number.value })).customer;
        dialog.close();
      } catch (problem) {
        error.textContent = problem.message;
        number.focus();
      }
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(added);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
