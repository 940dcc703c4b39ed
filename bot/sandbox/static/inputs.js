// Inputs that are typed or picked: text, dates and times, files.

import { el, icon, replace } from "./dom.js";
import { packFile } from "./live.js";
import { unescape } from "./mrkdwn.js";

const KEYBOARDS = { number_input: "decimal", email_text_input: "email", url_text_input: "url" };

/** A line or a field of text, telling its app of each pause or of Enter where the app asked to be told. */
export function textInput({ element, surface, blockId, setting, focus }) {
  const multiline = element.multiline === true;
  const node = el(multiline ? "textarea" : "input", {
    class: "field",
    rows: multiline ? 4 : null,
    type: multiline ? null : "text",
    inputmode: KEYBOARDS[element.type],
    maxlength: element.max_length,
    placeholder: element.placeholder ? unescape(element.placeholder.text) : null,
    value: element.initial_value ?? "",
    autocomplete: "off",
    "aria-describedby": setting.describedBy,
    "aria-required": setting.required ? "true" : null,
    "data-control": true,
    "data-focus": focus,
    autofocus: element.focus_on_load === true,
  });
  const read = () => ({ type: element.type, value: node.value === "" ? null : node.value });
  surface.register(blockId, element.action_id, read);
  if (setting.dispatches) {
    const triggers = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
    const tell = () => surface.act({ action_id: element.action_id, block_id: blockId, ...read() });
    if (triggers.includes("on_character_entered")) {
      let pause = null;
      node.addEventListener("input", () => {
        clearTimeout(pause);
        // Whoever saves at once has left the form by then.
        pause = setTimeout(() => document.querySelector(`[data-focus="${CSS.escape(focus)}"]`) && tell(), 300);
      });
    }
    if (triggers.includes("on_enter_pressed") && !multiline) {
      node.addEventListener("keydown", (event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        tell();
      });
    }
  }
  return node;
}

/** Return a moment in local time as `<input type="datetime-local">` wants it. */
function localStamp(seconds) {
  const moment = new Date(seconds * 1000);
  const local = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

const PICKERS = {
  datepicker: {
    type: "date",
    initial: (element) => element.initial_date ?? "",
    read: (value) => ({ selected_date: value || null }),
  },
  timepicker: {
    type: "time",
    initial: (element) => element.initial_time ?? "",
    read: (value) => ({ selected_time: value || null }),
  },
  datetimepicker: {
    type: "datetime-local",
    initial: (element) => (element.initial_date_time ? localStamp(element.initial_date_time) : ""),
    read: (value) => ({ selected_date_time: value ? Math.floor(new Date(value).getTime() / 1000) : null }),
  },
};

/** A date, a time or both, by the browser's own picker. */
export function dateTimePicker({ element, surface, blockId, setting, tells, focus }) {
  const picker = PICKERS[element.type];
  const node = el("input", {
    class: "field",
    type: picker.type,
    value: picker.initial(element),
    "aria-describedby": setting.describedBy,
    "data-control": true,
    "data-focus": focus,
  });
  const read = () => ({ type: element.type, ...picker.read(node.value) });
  surface.register(blockId, element.action_id, read);
  if (tells) node.addEventListener("change", () => surface.act({ action_id: element.action_id, block_id: blockId, ...read() }));
  return node;
}

/** Files to send along with a form. Their bytes go to the world with the form's values. */
export function fileInput({ element, surface, blockId, setting, focus }) {
  const most = element.max_files ?? 10;
  let chosen = [];
  const list = el("ul", { class: "file-list" });
  const chooser = el("input", {
    type: "file",
    class: "field",
    multiple: most > 1,
    accept: element.filetypes?.map((type) => `.${type}`).join(","),
    "aria-describedby": setting.describedBy,
    "data-control": true,
    "data-focus": focus,
  });
  const show = () =>
    replace(
      list,
      chosen.map((file, index) =>
        el(
          "li",
          {},
          el("span", {}, file.name),
          el("button", { type: "button", class: "quiet", "aria-label": `Remove ${file.name}`, on: { click: () => drop(index) } }, icon("close")),
        ),
      ),
    );
  const drop = (index) => {
    chosen = chosen.filter((_, at) => at !== index);
    show();
  };
  chooser.addEventListener("change", async () => {
    const packed = await Promise.all([...chooser.files].map(packFile));
    chosen = [...chosen, ...packed].slice(0, most);
    chooser.value = "";
    show();
  });
  chooser.held = {
    get: () => chosen,
    set: (files) => {
      chosen = files;
      show();
    },
  };
  surface.register(blockId, element.action_id, () => ({ type: "file_input", files: chosen }));
  return el("div", { class: "files-field" }, chooser, list);
}
