// Puts the page together once the world has said what it is like.

import { el, icon } from "./dom.js";
import { startFaults } from "./faults.js";
import { attempt, connect, state, watchConnection } from "./live.js";
import { openMenu } from "./menu.js";
import { showPhone, startPhone } from "./phone.js";
import { startSlack } from "./slack.js";
import { startStrip } from "./strip.js";

function startHeader() {
  const dot = document.querySelector("#connection");
  watchConnection((connected) => {
    dot.classList.toggle("lost", !connected);
    dot.textContent = connected ? "Live" : "Connection lost, trying again…";
  });
  const button = document.querySelector("#stories");
  button.append(icon("chevron"));
  button.addEventListener("click", () =>
    openMenu(
      button,
      state.team.stories.map((story) => ({ label: story.label, note: story.hint, run: () => play(story) })),
      "Stories to play",
    ),
  );
}

async function play(story) {
  showPhone(story.customer, null);
  await attempt("story", { name: story.name });
}

async function start() {
  startHeader();
  startStrip(document.querySelector("#strip"));
  await connect();
  document.querySelector("#loading").remove();
  startPhone(document.querySelector("#phone"));
  startSlack(document.querySelector("#slack"));
  startFaults(document.querySelector("#faults"));
  document.body.append(el("div", { id: "ready", hidden: true }));
}

start();
