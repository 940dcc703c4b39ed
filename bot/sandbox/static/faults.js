// The switches for trouble: what goes wrong at Slack, at Telnyx and on the way.

import { el, replace } from "./dom.js";
import { attempt, state, watch } from "./live.js";

/** Build the switches inside `root`. Needs the first state. */
export function startFaults(root) {
  const body = el("div", { class: "fault-groups" });
  const clear = el("button", { type: "button", class: "button quiet small", on: { click: () => attempt("clear_trouble") } }, "All well again");
  root.append(el("div", { class: "strip-head" }, el("h2", {}, "Make trouble"), el("span", { class: "spring" }), clear), body);
  const draw = () => {
    const active = new Set(state.trouble ?? []);
    root.classList.toggle("troubled", active.size > 0);
    clear.disabled = active.size === 0;
    const focused = body.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
    const groups = [...new Set(state.team.troubles.map((trouble) => trouble.group))];
    replace(
      body,
      groups.map((group) =>
        el(
          "fieldset",
          {},
          el("legend", {}, group),
          state.team.troubles.filter((trouble) => trouble.group === group).map((trouble) => toggle(trouble, active.has(trouble.name))),
        ),
      ),
    );
    if (focused) body.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  };
  watch("trouble", draw);
  watch("team", draw);
  draw();
}

function toggle(trouble, on) {
  const box = el("input", {
    type: "checkbox", role: "switch", checked: on, "data-focus": trouble.name,
    on: { change: (event) => attempt("trouble", { name: trouble.name, on: event.target.checked }) },
  });
  return el("label", { class: "switch", title: trouble.hint }, box, el("span", { class: "knob", "aria-hidden": "true" }), el("span", {}, trouble.label));
}
