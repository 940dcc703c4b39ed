// Menus and other small panels that open beside a button and close by themselves.

import { el, freshId } from "./dom.js";

let closeOpen = null;

/** Open `panel` beside `anchor`; returns the function that closes it. Escape and a press elsewhere close it too. */
export function openPanel(anchor, panel) {
  closeOpen?.();
  const host = anchor.closest("dialog") ?? document.body;
  host.append(panel);
  place(anchor, panel);
  anchor.setAttribute("aria-expanded", "true");
  const elsewhere = (event) => {
    if (!panel.contains(event.target) && !anchor.contains(event.target)) close(false);
  };
  const escape = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    close();
  };
  const close = (returnFocus = true) => {
    document.removeEventListener("pointerdown", elsewhere, true);
    panel.removeEventListener("keydown", escape);
    panel.remove();
    anchor.setAttribute("aria-expanded", "false");
    if (closeOpen === close) closeOpen = null;
    if (returnFocus && anchor.isConnected) anchor.focus();
  };
  document.addEventListener("pointerdown", elsewhere, true);
  panel.addEventListener("keydown", escape);
  closeOpen = close;
  return close;
}

function place(anchor, panel) {
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const left = Math.max(8, Math.min(box.left, window.innerWidth - width - 8));
  const below = box.bottom + 6;
  const top = below + height > window.innerHeight - 8 ? Math.max(8, box.top - height - 6) : below;
  panel.style.left = `${left}px`;
  panel.style.top = `${top}px`;
}

/** Open a menu of `{label, run, danger, note}` beside `anchor`. */
export function openMenu(anchor, entries, label = "Actions") {
  const items = entries.map((entry) =>
    el(
      "button",
      { type: "button", role: "menuitem", class: entry.danger ? "danger" : "", tabIndex: -1,
        on: { click: () => { close(); entry.run(); } } },
      entry.label,
      entry.note ? el("span", { class: "hint" }, entry.note) : null,
    ),
  );
  const panel = el("div", { class: "panel menu", role: "menu", id: freshId("menu"), "aria-label": label }, items);
  panel.addEventListener("keydown", (event) => {
    const at = items.indexOf(document.activeElement);
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
    if (event.key in moves) {
      event.preventDefault();
      items[(moves[event.key] + items.length) % items.length].focus();
    } else if (event.key === "Tab") {
      close(false);
    }
  });
  const close = openPanel(anchor, panel);
  items[0]?.focus();
  return close;
}
