// Block Kit layout blocks. What can be pressed or filled in is in elements.js.

import { el, freshId } from "./dom.js";
import { elementNode } from "./elements.js";
import { mrkdwn, textObject } from "./mrkdwn.js";
import { richText } from "./richtext.js";

/** Return the nodes for a list of blocks on `surface`. */
export function blockNodes(blocks, surface) {
  return (blocks ?? []).map((block, index) => blockNode(block, surface, block.block_id ?? `block-${index}`));
}

function blockNode(block, surface, blockId) {
  switch (block.type) {
    case "section":
      return section(block, surface, blockId);
    case "header":
      return el("h3", { class: "block header" }, textObject(block.text));
    case "context":
      return el("div", { class: "block context" }, block.elements.map(contextPart));
    case "actions":
      return el("div", { class: "block actions" }, block.elements.map((element) => elementNode(element, surface, blockId)));
    case "divider":
      return el("hr", { class: "block divider" });
    case "image":
      return image(block);
    case "rich_text":
      return el("div", { class: "block" }, richText(block));
    case "input":
      return input(block, surface, blockId);
    case "markdown":
      return el("div", { class: "block text" }, mrkdwn(block.text));
    default:
      return el("div", { class: "block unknown" }, `This page cannot draw a “${block.type}” block.`);
  }
}

function section(block, surface, blockId) {
  return el(
    "div",
    { class: "block section" },
    el(
      "div",
      { class: "section-body" },
      block.text ? el("div", { class: "text" }, textObject(block.text)) : null,
      block.fields ? el("div", { class: "fields" }, block.fields.map((field) => el("div", { class: "text" }, textObject(field)))) : null,
    ),
    block.accessory ? el("div", { class: "accessory" }, elementNode(block.accessory, surface, blockId)) : null,
  );
}

function contextPart(element) {
  if (element.type === "image") return el("img", { class: "context-image", src: safeSource(element.image_url), alt: element.alt_text });
  return el("span", { class: "text" }, textObject(element));
}

function image(block) {
  return el(
    "figure",
    { class: "block image" },
    block.title ? el("figcaption", {}, textObject(block.title)) : null,
    el("img", { src: safeSource(block.image_url), alt: block.alt_text }),
  );
}

/** Return an address that an image may have here: this machine's, or data. */
export function safeSource(address) {
  return /^(https?:|data:image\/|\/)/i.test(address ?? "") ? address : "";
}

/** An input block: label, element, hint, and the place where what is wrong with it will stand. */
function input(block, surface, blockId) {
  const element = block.element;
  const errorId = freshId("error");
  const hintId = block.hint ? freshId("hint") : null;
  const grouped = ["checkboxes", "radio_buttons"].includes(element.type);
  const control = elementNode(element, surface, blockId, {
    isInput: true,
    dispatches: block.dispatch_action === true,
    describedBy: [hintId, errorId].filter(Boolean).join(" "),
    required: block.optional !== true,
  });
  const label = [textObject(block.label), block.optional ? el("span", { class: "optional" }, " (optional)") : null];
  const target = control.querySelector("[data-control]") ?? control;
  if (!target.id) target.id = freshId("control");
  if (grouped) target.setAttribute("aria-labelledby", `${target.id}-label`);
  return el(
    "div",
    { class: "block input", data: { block: blockId } },
    grouped ? el("div", { class: "label", id: `${target.id}-label` }, label) : el("label", { class: "label", for: target.id }, label),
    control,
    block.hint ? el("p", { class: "hint", id: hintId }, textObject(block.hint)) : null,
    el("p", { class: "field-error", id: errorId, role: "alert" }),
  );
}
