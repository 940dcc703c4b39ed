// The strip at the foot: every request between the phones, Telnyx, the bot and Slack.

import { el, keepAtEnd } from "./dom.js";
import { watchExchanges } from "./live.js";
import { exactTime } from "./times.js";

const KEPT = 300;
const NAMES = { phone: "Phone", person: "Person", telnyx: "Telnyx", slack: "Slack", bot: "Bot" };

/** Build the strip inside `root`. */
export function startStrip(root) {
  const rows = el("tbody");
  const counter = el("span", { class: "hint" }, "nothing yet");
  const scroller = el(
    "div",
    { class: "strip-rows", tabIndex: 0, role: "region", "aria-label": "Requests between phone, Telnyx, bot and Slack" },
    el(
      "table",
      {},
      el("colgroup", {}, ["when", "way", "operation", "status", "took", "detail"].map((name) => el("col", { class: name }))),
      el("thead", { class: "sr-only" }, el("tr", {}, ["Time", "Direction", "Operation", "Status", "Took", "Detail"].map((name) => el("th", { scope: "col" }, name)))),
      rows,
    ),
  );
  const filter = el("select", { class: "field small", "aria-label": "Which requests to show" },
    [["", "All requests"], ["telnyx", "With Telnyx"], ["slack", "With Slack"], ["trouble", "Failed only"]].map(([value, label]) => el("option", { value }, label)));
  filter.addEventListener("change", () => {
    scroller.dataset.filter = filter.value;
    scroller.scrollTop = scroller.scrollHeight;
  });
  let total = 0;
  root.append(
    el("div", { class: "strip-head" }, el("h2", {}, "On the wire"), counter, el("span", { class: "spring" }), filter,
      el("button", { type: "button", class: "button quiet small", on: { click: () => rows.replaceChildren() } }, "Clear")),
    scroller,
  );
  watchExchanges((exchanges) => {
    const fresh = exchanges.filter((exchange) => !rows.querySelector(`[data-number="${exchange.number}"]`));
    total = Math.max(total, ...exchanges.map((exchange) => exchange.number));
    counter.textContent = `${total} ${total === 1 ? "request" : "requests"}`;
    keepAtEnd(scroller, () => {
      rows.append(...fresh.map(row));
      while (rows.childElementCount > KEPT) rows.firstElementChild.remove();
    });
  });
}

function row(exchange) {
  const tone = toneOf(exchange);
  return el(
    "tr",
    { class: `exchange ${tone}`, data: { number: exchange.number, parties: `${exchange.source} ${exchange.target}` } },
    el("td", { class: "when" }, exactTime(exchange.at)),
    el(
      "td",
      { class: "way" },
      party(exchange.source),
      el("span", { class: "arrow", "aria-label": "to" }, "→"),
      party(exchange.target),
    ),
    el("td", { class: "operation", title: exchange.operation }, exchange.operation),
    el("td", { class: "status" }, wordStatus(exchange)),
    el("td", { class: "took" }, isOnAir(exchange) ? "" : wordSpan(exchange.milliseconds)),
    el("td", { class: "detail", title: exchange.detail }, exchange.detail),
  );
}

function party(name) {
  return el("span", { class: `party at-${name}` }, NAMES[name] ?? name);
}

/** Whether it passed between the carrier and a phone: by radio, so there is no HTTP status. */
function isOnAir(exchange) {
  return exchange.source === "phone" || exchange.target === "phone";
}

function wordStatus(exchange) {
  if (exchange.status !== null) return String(exchange.status);
  return isOnAir(exchange) ? "–" : "broken";
}

function wordSpan(milliseconds) {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}

function toneOf(exchange) {
  const { status } = exchange;
  if (status === null && isOnAir(exchange)) return "good";
  if (status === null || status >= 500) return "bad";
  if (status === 429 || status >= 400) return "poor";
  return "good";
}
