// Files that hang on a Slack message or lie in a composer.

import { el, icon } from "./dom.js";

const KB = 1024;

/** What a browser can draw by itself; an iPhone's HEIC is not among it. */
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

export const isPicture = (type) => PICTURES.has(type);

/** Return a number of bytes as people read it. */
export function fileSize(bytes) {
  if (bytes == null) return "";
  return bytes < KB * KB ? `${Math.max(1, Math.round(bytes / KB))} kB` : `${(bytes / KB / KB).toFixed(1)} MB`;
}

/** Make the nodes for the files of a message. `file.page_url` is where this page serves the bytes. */
export function fileNodes(files) {
  if (!files?.length) return null;
  return el("div", { class: "files" }, files.map(fileNode));
}

function fileNode(file) {
  const name = file.title || file.name || "file";
  if (file.mode === "tombstone") return el("span", { class: "file gone" }, "This file was deleted.");
  if (isPicture(file.mimetype)) {
    return el(
      "a",
      { class: "picture", href: file.page_url, target: "_blank", rel: "noopener" },
      el("img", { src: file.page_url, alt: file.alt_txt || name, loading: "lazy" }),
      el("span", { class: "picture-name" }, name),
    );
  }
  return el(
    "a",
    { class: "file", href: file.page_url, download: name },
    icon("clip"),
    el("span", {}, el("strong", {}, name), el("span", { class: "hint" }, `${file.mimetype ?? ""} ${fileSize(file.size)}`)),
  );
}

/** Make the chips for files (packed) that wait in a composer. */
export function waitingFiles(files, drop) {
  return files.map((file, index) =>
    el(
      "span",
      { class: "chip" },
      isPicture(file.type)
        ? el("img", { class: "chip-picture", src: `data:${file.type};base64,${file.data}`, alt: "" })
        : icon("clip"),
      file.name,
      el("button", { type: "button", class: "quiet", "aria-label": `Remove ${file.name}`, on: { click: () => drop(index) } }, icon("close")),
    ),
  );
}
