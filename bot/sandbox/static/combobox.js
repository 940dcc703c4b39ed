// A field that searches while one types and offers what it found: external selects.

import { el, freshId, icon, replace } from "./dom.js";
import { unescape } from "./mrkdwn.js";

/**
 * Make a combobox. `load(query)` returns groups `[{label, options}]`; `changed()` is called after each choice.
 *
 * Returns `{node, chosen}`: `chosen()` gives the options taken, as the app worded them.
 */
export function comboBox({ placeholder, multiple, initial, minimum, load, describedBy, focus, changed }) {
  let taken = [...initial];
  let offered = [];
  let at = -1;
  let latest = 0;
  let pause = null;

  const listId = freshId("options");
  const field = el("input", {
    class: "field",
    type: "text",
    role: "combobox",
    placeholder,
    autocomplete: "off",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": listId,
    "aria-describedby": describedBy,
    "data-control": true,
    "data-focus": focus,
  });
  const list = el("ul", { class: "options", role: "listbox", id: listId, hidden: true });
  const chips = el("div", { class: "chips" });
  const node = el("div", { class: "combobox" }, chips, field, list);

  const close = () => {
    list.hidden = true;
    at = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };

  const showTaken = () => {
    if (!multiple) {
      field.value = taken[0] ? unescape(taken[0].text.text) : "";
      return;
    }
    field.value = "";
    replace(
      chips,
      taken.map((option) =>
        el(
          "span",
          { class: "chip" },
          unescape(option.text.text),
          el(
            "button",
            { type: "button", class: "quiet", "aria-label": `Remove ${option.text.text}`, on: { click: () => untake(option) } },
            icon("close"),
          ),
        ),
      ),
    );
  };

  const untake = (option) => {
    taken = taken.filter((other) => other.value !== option.value);
    showTaken();
    changed();
    field.focus();
  };

  const take = (option) => {
    taken = multiple ? [...taken.filter((other) => other.value !== option.value), option] : [option];
    showTaken();
    close();
    changed();
  };

  const move = (to) => {
    at = Math.max(0, Math.min(offered.length - 1, to));
    [...list.querySelectorAll("[role=option]")].forEach((item, index) => {
      item.setAttribute("aria-selected", String(index === at));
      if (index !== at) return;
      field.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    });
  };

  const show = (groups) => {
    offered = groups.flatMap((group) => group.options);
    replace(
      list,
      groups.map((group) => [
        group.label ? el("li", { class: "options-label", role: "presentation" }, unescape(group.label.text)) : null,
        group.options.map((option) =>
          el(
            "li",
            { role: "option", id: freshId("option"), "aria-selected": "false", on: { mousedown: (event) => { event.preventDefault(); take(option); } } },
            unescape(option.text.text),
            option.description ? el("span", { class: "hint" }, unescape(option.description.text)) : null,
          ),
        ),
      ]),
      offered.length ? null : el("li", { class: "options-label", role: "presentation" }, "Nothing found"),
    );
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    if (offered.length) move(0);
  };

  const search = async () => {
    latest += 1;
    const mine = latest;
    const query = field.value.trim();
    if (query.length < minimum) {
      close();
      return;
    }
    try {
      const groups = await load(query);
      if (mine === latest) show(groups);
    } catch (error) {
      if (mine !== latest) return;
      replace(list, el("li", { class: "options-label", role: "presentation" }, error.message));
      list.hidden = false;
    }
  };

  field.addEventListener("input", () => {
    if (!multiple) taken = [];
    clearTimeout(pause);
    pause = setTimeout(search, 200);
  });
  field.addEventListener("focus", () => {
    if (minimum === 0 && list.hidden && !taken.length) search();
  });
  field.addEventListener("blur", () => {
    close();
    showTaken();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) search();
      else move(at + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && !list.hidden && offered[at]) {
      event.preventDefault();
      take(offered[at]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === "Backspace" && multiple && field.value === "" && taken.length) {
      untake(taken.at(-1));
    }
  });

  // A redrawn form asks for what its fields held, and gives it back.
  field.held = {
    get: () => taken,
    set: (options) => {
      taken = options;
      showTaken();
    },
  };
  showTaken();
  return { node, chosen: () => taken };
}
