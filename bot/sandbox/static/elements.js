// Block Kit elements: what a person can press, choose or fill in.

import { comboBox } from "./combobox.js";
import { dateTimePicker, fileInput, textInput } from "./inputs.js";
import { confirmFirst } from "./dialogs.js";
import { el, freshId } from "./dom.js";
import { openMenu } from "./menu.js";
import { textObject, unescape } from "./mrkdwn.js";
import { state } from "./live.js";

/**
 * Return the node for one element and register it with its surface.
 *
 * `setting` says how it stands: `isInput` (in an input block: told of only when `dispatches`), `describedBy`, `required`.
 */
export function elementNode(element, surface, blockId, setting = {}) {
  const context = {
    element,
    surface,
    blockId,
    setting,
    tells: !setting.isInput || setting.dispatches,
    focus: `${blockId}/${element.action_id ?? ""}`,
  };
  const build = BUILDERS[element.type];
  if (!build) return el("span", { class: "unknown" }, `This page cannot draw a “${element.type}” element.`);
  return build(context);
}

const BUILDERS = {
  button,
  overflow,
  image: ({ element }) => el("img", { class: "accessory-image", src: element.image_url, alt: element.alt_text }),
  static_select: staticSelect,
  multi_static_select: staticSelect,
  external_select: externalSelect,
  multi_external_select: externalSelect,
  users_select: (context) => listSelect(context, people(), "selected_user"),
  conversations_select: (context) => listSelect(context, channels(), "selected_conversation"),
  channels_select: (context) => listSelect(context, channels(), "selected_channel"),
  checkboxes: choiceGroup,
  radio_buttons: choiceGroup,
  plain_text_input: textInput,
  number_input: textInput,
  email_text_input: textInput,
  url_text_input: textInput,
  datepicker: dateTimePicker,
  timepicker: dateTimePicker,
  datetimepicker: dateTimePicker,
  file_input: fileInput,
};

function button({ element, surface, blockId, focus }) {
  const press = () =>
    confirmFirst(element.confirm, () => {
      const action = { type: "button", action_id: element.action_id, block_id: blockId, text: element.text };
      if (element.value !== undefined) action.value = element.value;
      return surface.act(action);
    });
  if (element.url) {
    return el(
      "a",
      { class: `button ${element.style ?? ""}`, href: /^https?:/i.test(element.url) ? element.url : null, target: "_blank",
        rel: "noopener noreferrer", "data-focus": focus, on: { click: press } },
      textObject(element.text),
    );
  }
  const node = el(
    "button",
    { type: "button", class: `button ${element.style ?? ""}`, "data-focus": focus, "aria-label": element.accessibility_label },
    textObject(element.text),
  );
  node.addEventListener("click", async () => {
    node.setAttribute("aria-busy", "true");
    await press();
    node.removeAttribute("aria-busy");
  });
  return node;
}

function overflow({ element, surface, blockId, focus }) {
  const node = el("button", { type: "button", class: "button quiet", "aria-haspopup": "menu", "aria-label": "More actions", "data-focus": focus }, "⋯");
  node.addEventListener("click", () =>
    openMenu(
      node,
      element.options.map((option) => ({
        label: unescape(option.text.text),
        run: () => surface.act({ type: "overflow", action_id: element.action_id, block_id: blockId, selected_option: option }),
      })),
    ),
  );
  return node;
}

function allOptions(element) {
  return element.option_groups ? element.option_groups.flatMap((group) => group.options) : element.options ?? [];
}

function staticSelect({ element, surface, blockId, setting, tells, focus }) {
  const multiple = element.type.startsWith("multi_");
  const chosen = new Set((element.initial_options ?? (element.initial_option ? [element.initial_option] : [])).map((o) => o.value));
  const optionNode = (option) => el("option", { value: option.value, selected: chosen.has(option.value) }, unescape(option.text.text));
  const placeholder = element.placeholder ? unescape(element.placeholder.text) : "Choose…";
  const node = el(
    "select",
    { class: "field", multiple, "data-control": true, "data-focus": focus, "aria-describedby": setting.describedBy, "aria-label": setting.isInput ? null : placeholder },
    multiple ? null : el("option", { value: "", selected: chosen.size === 0 }, placeholder),
    element.option_groups
      ? element.option_groups.map((group) => el("optgroup", { label: unescape(group.label.text) }, group.options.map(optionNode)))
      : (element.options ?? []).map(optionNode),
  );
  const options = allOptions(element);
  const read = () => {
    const values = new Set([...node.selectedOptions].map((option) => option.value));
    const selected = options.filter((option) => values.has(option.value));
    return multiple ? { type: element.type, selected_options: selected } : { type: element.type, selected_option: selected[0] ?? null };
  };
  surface.register(blockId, element.action_id, read);
  if (tells) {
    node.addEventListener("change", () =>
      confirmFirst(element.confirm, () => surface.act({ action_id: element.action_id, block_id: blockId, ...read() })),
    );
  }
  return node;
}

function externalSelect({ element, surface, blockId, setting, tells, focus }) {
  const multiple = element.type.startsWith("multi_");
  const box = comboBox({
    placeholder: element.placeholder ? unescape(element.placeholder.text) : "Search…",
    multiple,
    initial: element.initial_options ?? (element.initial_option ? [element.initial_option] : []),
    minimum: element.min_query_length ?? 3,
    load: (query) => surface.options(element, blockId, query),
    describedBy: setting.describedBy,
    focus,
    changed: () => {
      if (tells) surface.act({ action_id: element.action_id, block_id: blockId, ...read() });
    },
  });
  const read = () =>
    multiple ? { type: element.type, selected_options: box.chosen() } : { type: element.type, selected_option: box.chosen()[0] ?? null };
  surface.register(blockId, element.action_id, read);
  return box.node;
}

function people() {
  return (state.team?.users ?? []).map((user) => ({ value: user.id, label: user.name }));
}

function channels() {
  return (state.team?.channels ?? []).map((channel) => ({ value: channel.id, label: `#${channel.name}` }));
}

function listSelect({ element, surface, blockId, setting, tells, focus }, options, member) {
  const initial = element[member.replace("selected", "initial")];
  const node = el(
    "select",
    { class: "field", "data-control": true, "data-focus": focus, "aria-describedby": setting.describedBy },
    el("option", { value: "" }, element.placeholder ? unescape(element.placeholder.text) : "Choose…"),
    options.map((option) => el("option", { value: option.value, selected: option.value === initial }, option.label)),
  );
  const read = () => ({ type: element.type, [member]: node.value || null });
  surface.register(blockId, element.action_id, read);
  if (tells) node.addEventListener("change", () => surface.act({ action_id: element.action_id, block_id: blockId, ...read() }));
  return node;
}

function choiceGroup({ element, surface, blockId, setting, tells, focus }) {
  const single = element.type === "radio_buttons";
  const initial = new Set((single ? [element.initial_option] : element.initial_options ?? []).filter(Boolean).map((option) => option.value));
  const name = freshId("choice");
  const boxes = element.options.map((option, index) => {
    const box = el("input", {
      type: single ? "radio" : "checkbox", name, value: option.value, checked: initial.has(option.value), "data-focus": `${focus}/${index}`,
    });
    return { option, box };
  });
  const read = () => {
    const selected = boxes.filter(({ box }) => box.checked).map(({ option }) => option);
    return single ? { type: element.type, selected_option: selected[0] ?? null } : { type: element.type, selected_options: selected };
  };
  surface.register(blockId, element.action_id, read);
  const node = el(
    "div",
    { class: "choices", role: single ? "radiogroup" : "group", "data-control": true, "aria-describedby": setting.describedBy },
    boxes.map(({ option, box }) =>
      el(
        "label",
        { class: "choice" },
        box,
        el("span", {}, textObject(option.text), option.description ? el("span", { class: "hint" }, textObject(option.description)) : null),
      ),
    ),
  );
  if (tells) node.addEventListener("change", () => surface.act({ action_id: element.action_id, block_id: blockId, ...read() }));
  return node;
}
