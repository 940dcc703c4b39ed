// Building nodes. Nothing on this page is ever parsed as HTML: every word a person wrote becomes a text node.

/**
 * Make an element.
 *
 * `attributes` holds attributes by their HTML name; besides: `on` (listeners by event), `data` (data-… values),
 * and any of `value`, `checked`, `disabled`, `hidden`, `selected`, `multiple`, set as properties. null, undefined and
 * false leave an attribute out. Children are nodes, strings, arrays of them, or null.
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    } else if (name === "data") {
      for (const [key, datum] of Object.entries(value)) if (datum != null) node.dataset[key] = datum;
    } else if (name === "style") {
      if (value != null) node.style.cssText = value; // set so, it passes the page's content security policy
    } else if (PROPERTIES.has(name)) {
      node[name] = value;
    } else if (value === true) {
      node.setAttribute(name, "");
    } else if (value != null && value !== false) {
      node.setAttribute(name, String(value));
    }
  }
  append(node, children);
  return node;
}

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "selected", "multiple", "tabIndex"]);

export function append(node, children) {
  for (const child of children) {
    if (child == null || child === false) continue;
    if (Array.isArray(child)) append(node, child);
    else node.append(child);
  }
  return node;
}

export function replace(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

let lastId = 0;

/** Return an id that no other element has. */
export function freshId(prefix = "n") {
  lastId += 1;
  return `${prefix}-${lastId}`;
}

/**
 * Bring the children of `list` in line with `items`, touching only what changed, so that focus, scroll position and
 * what a screen reader has already read stay as they are.
 *
 * `keyOf(item)` names an item, `build(item, index)` makes its node, `stamp(item, index)` is text that differs when the node must.
 */
export function reconcile(list, items, { keyOf, build, stamp }) {
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  let cursor = list.firstElementChild;
  items.forEach((item, index) => {
    const key = String(keyOf(item));
    const mark = stamp(item, index);
    let node = old.get(key);
    old.delete(key);
    if (!node || node.stamp !== mark) {
      const fresh = build(item, index);
      fresh.dataset.key = key;
      fresh.stamp = mark;
      if (node) {
        const focus = focusPath(node);
        if (cursor === node) cursor = fresh;
        node.replaceWith(fresh);
        restoreFocus(fresh, focus);
      }
      node = fresh;
    }
    if (node === cursor) cursor = cursor.nextElementSibling;
    else list.insertBefore(node, cursor);
  });
  for (const gone of old.values()) gone.remove();
}

/** Say where in `node` the focus is, so that `restoreFocus` finds the same place in its successor. */
function focusPath(node) {
  const active = document.activeElement;
  if (!node.contains(active)) return null;
  return active === node ? "" : active.dataset.focus ?? "";
}

function restoreFocus(node, path) {
  if (path === null) return;
  const target = path ? node.querySelector(`[data-focus="${CSS.escape(path)}"]`) : node;
  (target ?? node).focus({ preventScroll: true });
}

/** Change a scrolling list, keeping it at its end unless the reader has scrolled up; also when its pictures arrive later. */
export function keepAtEnd(scroller, change) {
  if (scroller.atEnd === undefined) {
    scroller.atEnd = true;
    const look = () => {
      scroller.atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
    };
    const follow = () => {
      if (scroller.atEnd) scroller.scrollTop = scroller.scrollHeight;
    };
    scroller.addEventListener("scroll", look);
    scroller.addEventListener("load", follow, true); // a picture's load does not bubble
  }
  const { atEnd } = scroller;
  change();
  if (atEnd) scroller.scrollTop = scroller.scrollHeight;
}

/** Show the end of a scrolling list that now shows something else. */
export function jumpToEnd(scroller) {
  scroller.scrollTop = scroller.scrollHeight;
  scroller.atEnd = true;
}

const SVG = "http://www.w3.org/2000/svg";

/** Draw one of the page's own line icons. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

const ICONS = {
  send: "M3 10 L17 3.5 L12.5 17 L9.5 11 Z M9.5 11 L17 3.5",
  clip: "M14.5 9.5 L9 15 a3.2 3.2 0 0 1 -4.5 -4.5 L11 4 a2.2 2.2 0 0 1 3.1 3.1 L8 13.2 a1 1 0 0 1 -1.5 -1.5 L12 6.2",
  picture: "M3 4.5 h14 v11 h-14 Z M3 13 l4 -4 4 4 2.5 -2.5 3.5 3.5 M13 7.7 h.01",
  plus: "M10 4 v12 M4 10 h12",
  close: "M5 5 L15 15 M15 5 L5 15",
  more: "M4.5 10 h.01 M10 10 h.01 M15.5 10 h.01",
  reply: "M4 4.5 h12 v8.5 h-7 l-3.5 3 v-3 h-1.5 Z",
  smile: "M10 3 a7 7 0 1 0 .01 0 M7.3 8 h.01 M12.7 8 h.01 M6.8 11.6 a3.8 3.8 0 0 0 6.4 0",
  eye: "M2.5 10 s2.8 -4.8 7.5 -4.8 S17.5 10 17.5 10 s-2.8 4.8 -7.5 4.8 S2.5 10 2.5 10 Z M10 8 a2 2 0 1 0 .01 0",
  home: "M3.5 9.5 L10 4 l6.5 5.5 M5.5 8.2 V16 h9 V8.2 M8.5 16 v-4 h3 v4",
  hash: "M8 3.5 L6.5 16.5 M13.5 3.5 L12 16.5 M4 7.5 h13 M3 12.5 h13",
  chevron: "M6 8 l4 4 4 -4",
  bolt: "M11 2.8 L4.5 11.5 H9.5 L8.8 17.2 L15.5 8.5 H10.5 Z",
  edit: "M4 16 l.8 -3.4 L13.5 4 l2.6 2.6 -8.7 8.6 Z",
  bin: "M4.5 6 h11 M8 6 V4 h4 v2 M6 6 l.7 10 h6.6 L14 6",
  search: "M9 4 a5 5 0 1 0 .01 0 M12.6 12.6 L16.5 16.5",
};
