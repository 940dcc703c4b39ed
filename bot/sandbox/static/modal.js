// Modals: the views that the app has opened for the teammate at the screen, the newest on top.

import { blockNodes } from "./blocks.js";
import { append, el, freshId, replace } from "./dom.js";
import { ask, attempt, state, tell } from "./live.js";
import { textObject } from "./mrkdwn.js";
import { Surface } from "./surface.js";

let open = null;

/** Show the topmost view of `userId`, or close the dialog when there is none left. */
export function showViews(userId) {
  const views = state[`person:${userId}`]?.views ?? [];
  const view = views.at(-1);
  if (!view) {
    if (open) open.dialog.close("gone");
    return;
  }
  if (open && open.user === userId && open.view.id === view.id) {
    if (JSON.stringify(open.view) !== JSON.stringify(view)) redraw(view);
    return;
  }
  if (open) open.dialog.close("gone");
  open = build(view, userId);
  document.body.append(open.dialog);
  open.dialog.showModal();
}

function build(view, user) {
  const body = el("div", { class: "dialog-body" });
  const titleId = freshId("title");
  const title = el("h2", { id: titleId });
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": titleId },
    el(
      "form",
      { method: "dialog", novalidate: true },
      el("header", {}, title, el("button", { type: "button", class: "quiet close", "aria-label": "Close", on: { click: () => dismiss() } }, "✕")),
      el("div", { class: "toasts" }),
      body,
      el("footer", {}),
    ),
  );
  const shown = { dialog, body, title, view, user, surface: null };
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    dismiss();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (open === shown) open = null;
  });
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) submit();
  });
  fill(shown, view);
  return shown;
}

/** Draw `view` into the dialog. */
function fill(shown, view) {
  shown.view = view;
  shown.surface = new Surface({ view_id: view.id }, () => shown.user);
  replace(shown.title, textObject(view.title));
  replace(shown.body, blockNodes(view.blocks, shown.surface));
  const footer = shown.dialog.querySelector("footer");
  replace(
    footer,
    el("button", { type: "button", class: "button", on: { click: () => dismiss() } }, view.close ? textObject(view.close) : "Cancel"),
    view.submit ? el("button", { type: "submit", class: "button primary" }, textObject(view.submit)) : null,
  );
}

/** The app has updated the view: draw it anew, but keep what was typed into inputs that are still there, as Slack does. */
function redraw(view) {
  const focused = document.activeElement?.dataset?.focus;
  const selection = document.activeElement?.selectionStart;
  const typed = new Map();
  for (const control of open.body.querySelectorAll("[data-focus]")) {
    typed.set(control.dataset.focus, { value: control.value, checked: control.checked, held: control.held?.get() });
  }
  fill(open, view);
  for (const control of open.body.querySelectorAll("[data-focus]")) {
    const before = typed.get(control.dataset.focus);
    if (!before || control.tagName === "BUTTON") continue;
    if (control.held) control.held.set(before.held);
    else if (["checkbox", "radio"].includes(control.type)) control.checked = before.checked;
    else control.value = before.value;
  }
  if (!focused) return;
  const again = open.body.querySelector(`[data-focus="${CSS.escape(focused)}"]`);
  again?.focus();
  if (again && selection != null && "selectionStart" in again) {
    try {
      again.setSelectionRange(selection, selection);
    } catch {
      // Some kinds of input have no caret to restore.
    }
  }
}

async function submit() {
  if (!open || open.busy) return;
  const shown = open;
  if (!shown.view.submit) return;
  showErrors(shown, missing(shown));
  if (shown.body.querySelector(".has-error")) return;
  shown.busy = true;
  shown.dialog.setAttribute("aria-busy", "true");
  try {
    const answer = await ask("submit", { user: shown.user, view_id: shown.view.id, values: shown.surface.values() });
    if (answer.errors) showErrors(shown, answer.errors);
  } catch (error) {
    tell(error.message, "bad");
  } finally {
    shown.busy = false;
    shown.dialog.removeAttribute("aria-busy");
  }
}

/** What Slack itself refuses before it asks the app: required inputs left empty. */
function missing(shown) {
  const values = shown.surface.values();
  const errors = {};
  shown.view.blocks.forEach((block, index) => {
    if (block.type !== "input" || block.optional) return;
    const blockId = block.block_id ?? `block-${index}`;
    const value = values[blockId]?.[block.element.action_id] ?? {};
    const held = Object.entries(value).filter(([name]) => name !== "type").map(([, content]) => content);
    const empty = held.every((content) => content == null || content === "" || (Array.isArray(content) && !content.length));
    if (empty) errors[blockId] = "Please complete this required field.";
  });
  return errors;
}

function showErrors(shown, errors) {
  let first = null;
  for (const block of shown.body.querySelectorAll(".block.input")) {
    const message = errors[block.dataset.block];
    const place = block.querySelector(".field-error");
    block.classList.toggle("has-error", Boolean(message));
    place.textContent = "";
    append(place, [message ?? ""]);
    const control = block.querySelector("[data-control]");
    control?.setAttribute("aria-invalid", String(Boolean(message)));
    if (message && !first) first = control;
  }
  (first?.matches("[role=radiogroup], [role=group]") ? first.querySelector("input") : first)?.focus();
}

function dismiss() {
  if (!open) return;
  attempt("close", { user: open.user, view_id: open.view.id });
}
