// Where a teammate writes: text, files, slash commands with their hints, @mentions.

import { el, freshId, icon, replace } from "./dom.js";
import { waitingFiles } from "./files.js";
import { attempt, packFile, state, tell } from "./live.js";

/**
 * Make a composer. `label()` is its placeholder, `send({text, files, broadcast})` does the work and resolves to whether it was
 * taken, `editLast()` starts editing one's last message (Arrow Up in an empty field); `inThread` adds the choice to show the
 * reply in the channel too, and forbids slash commands, which Slack does not have in threads.
 */
export function composer({ label, send, editLast, inThread }) {
  let files = [];
  let hints = [];
  let at = 0;
  const listId = freshId("hints");
  const field = el("textarea", {
    class: "composer-field", rows: 1, "aria-label": label(), placeholder: label(), autocomplete: "off",
    role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": listId,
  });
  const chips = el("div", { class: "chips" });
  const list = el("ul", { class: "hints panel", id: listId, role: "listbox", "aria-label": "Suggestions", hidden: true });
  const chooser = el("input", { type: "file", multiple: true, hidden: true, "aria-label": "Files to attach", tabIndex: -1 });
  const broadcast = inThread ? el("input", { type: "checkbox" }) : null;
  const sendButton = el("button", { type: "submit", class: "icon-button send", "aria-label": "Send", title: "Send (Enter)", disabled: true }, icon("send"));
  const node = el(
    "form",
    { class: "composer" },
    list,
    chips,
    field,
    el(
      "div",
      { class: "composer-bar" },
      el("button", { type: "button", class: "icon-button", "aria-label": "Attach a file", title: "Attach a file", on: { click: () => chooser.click() } }, icon("clip")),
      broadcast ? el("label", { class: "broadcast" }, broadcast, "Also send to the channel") : el("span", { class: "composer-tip" }, "Type / for commands"),
      sendButton,
    ),
    chooser,
  );

  const refresh = () => {
    field.style.height = "auto";
    field.style.height = `${Math.min(160, field.scrollHeight)}px`;
    sendButton.disabled = !field.value.trim() && !files.length;
    replace(chips, waitingFiles(files, (index) => { files = files.filter((_, i) => i !== index); refresh(); }));
  };

  const submit = async () => {
    const text = field.value.trim();
    if (!text && !files.length) return;
    const sent = { text, files, broadcast: broadcast?.checked ?? false };
    field.value = "";
    files = [];
    if (broadcast) broadcast.checked = false;
    suggest();
    refresh();
    const taken = await send(sent);
    if (!taken && !field.value) {
      field.value = sent.text;
      files = sent.files;
      refresh();
    }
  };

  const suggest = () => {
    hints = findHints(field, inThread);
    at = 0;
    list.hidden = !hints.length;
    field.setAttribute("aria-expanded", String(hints.length > 0));
    replace(
      list,
      hints.map((hint, index) =>
        el(
          "li",
          { role: "option", id: `${listId}-${index}`, "aria-selected": String(index === 0),
            on: { mousedown: (event) => { event.preventDefault(); take(hint); } } },
          el("span", {}, el("strong", {}, hint.label), " ", el("span", { class: "usage" }, hint.usage ?? "")),
          el("span", { class: "hint" }, hint.note ?? ""),
        ),
      ),
    );
    mark();
  };

  const mark = () => {
    [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
    if (hints.length) field.setAttribute("aria-activedescendant", `${listId}-${at}`);
    else field.removeAttribute("aria-activedescendant");
  };

  const take = (hint) => {
    field.setRangeText(hint.insert, hint.from, field.selectionStart, "end");
    suggest();
    refresh();
    field.focus();
  };

  const addFiles = async (chosen) => {
    files = [...files, ...(await Promise.all([...chosen].map(packFile)))];
    refresh();
    field.focus();
  };

  chooser.addEventListener("change", () => addFiles(chooser.files).then(() => { chooser.value = ""; }));
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  node.addEventListener("dragover", (event) => event.preventDefault());
  node.addEventListener("drop", (event) => {
    event.preventDefault();
    addFiles(event.dataTransfer.files);
  });
  field.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) addFiles(event.clipboardData.files);
  });
  field.addEventListener("input", () => {
    suggest();
    refresh();
  });
  field.addEventListener("blur", () => {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const listening = !list.hidden && hints.length > 0;
    if (listening && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      at = (at + (event.key === "ArrowDown" ? 1 : -1) + hints.length) % hints.length;
      mark();
    } else if (listening && (event.key === "Tab" || (event.key === "Enter" && !hints[at].complete))) {
      event.preventDefault();
      take(hints[at]);
    } else if (event.key === "Escape" && listening) {
      event.preventDefault();
      event.stopPropagation();
      list.hidden = true;
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit();
    } else if (event.key === "ArrowUp" && !field.value) {
      event.preventDefault();
      editLast();
    }
  });

  const relabel = () => {
    field.placeholder = label();
    field.setAttribute("aria-label", label());
  };
  refresh();
  return { node, field, relabel };
}

/** Suggestions for what stands before the caret: `{label, usage, note, insert, from, complete}`. */
function findHints(field, inThread) {
  const before = field.value.slice(0, field.selectionStart);
  const mention = /(^|\s)@([\p{L}]*)$/u.exec(before);
  if (mention) {
    const from = before.length - mention[2].length - 1;
    return state.team.users
      .filter((user) => user.name.toLowerCase().startsWith(mention[2].toLowerCase()))
      .map((user) => ({ label: `@${user.name}`, note: user.title ?? "", insert: `@${user.name} `, from }));
  }
  if (inThread || !/^\/\S*$/.test(before)) return [];
  return state.team.commands
    .filter((command) => command.command.startsWith(before))
    .map((command) => ({
      label: command.command,
      usage: command.usage_hint,
      note: command.description,
      insert: `${command.command} `,
      from: 0,
      complete: command.command === before,
    }));
}

/** Send what a composer holds to `channel`, as `user`; a text that begins with a known slash is a command. */
export async function deliver({ text, files, broadcast }, { user, channel, threadTs }) {
  if (/^\/[a-z]/i.test(text) && !files.length) {
    const command = text.split(/\s/)[0];
    if (threadTs) {
      tell(`${command} is not supported in threads. Sorry! Use it in the channel below.`, "bad");
      return false;
    }
    if (!state.team.commands.some((known) => known.command === command)) {
      tell(`${command} is not a valid command.`, "bad");
      return false;
    }
    return Boolean(await attempt("command", { user, channel, text }));
  }
  return Boolean(await attempt("post", { user, channel, text, files, thread_ts: threadTs ?? null, broadcast }));
}

