// The line to the world behind the page: what it is like now comes as a stream, what a person does goes as commands.

/** What the world last said, section by section (`team`, `customers`, `phone:+1…`, `channel:C…`, `person:U…`, `trouble`). */
export const state = {};

const watchers = [];
const connectionWatchers = [];
const exchangeWatchers = [];

/** Call `listener(section)` whenever a section that begins with `prefix` has changed. */
export function watch(prefix, listener) {
  watchers.push({ prefix, listener });
}

/** Call `listener(exchanges)` with each batch of requests that passed between the parties. */
export function watchExchanges(listener) {
  exchangeWatchers.push(listener);
}

/** Call `listener(isConnected)` when the stream opens or breaks. */
export function watchConnection(listener) {
  connectionWatchers.push(listener);
}

/** Open the stream; returns once the first whole state is here. The browser itself reconnects when it breaks. */
export function connect() {
  return new Promise((resolve) => {
    const source = new EventSource("/live");
    source.addEventListener("open", () => connectionWatchers.forEach((listener) => listener(true)));
    source.addEventListener("error", () => connectionWatchers.forEach((listener) => listener(false)));
    source.addEventListener("state", (event) => {
      const sections = JSON.parse(event.data);
      Object.assign(state, sections);
      for (const section of Object.keys(sections)) {
        for (const { prefix, listener } of watchers) if (section.startsWith(prefix)) listener(section);
      }
      resolve();
    });
    source.addEventListener("exchanges", (event) => {
      const exchanges = JSON.parse(event.data);
      exchangeWatchers.forEach((listener) => listener(exchanges));
    });
  });
}

/** Ask the world to do something; returns its answer, throws an Error with a sentence for the person when it could not. */
export async function ask(command, fields = {}) {
  let response;
  try {
    response = await fetch("/do", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ do: command, ...fields }),
    });
  } catch {
    throw new Error("The demo is not running any more. Start it again with “make demo”.");
  }
  const answer = await response.json().catch(() => ({ ok: false, error: `The demo answered ${response.status}.` }));
  if (!answer.ok) throw new Error(answer.error);
  return answer;
}

/** As `ask`, but tells the person of a failure in a passing note; returns null then. */
export async function attempt(command, fields = {}) {
  try {
    return await ask(command, fields);
  } catch (error) {
    tell(error.message, "bad");
    return null;
  }
}

/** Show a passing note. `tone` is `good`, `bad` or nothing. */
export function tell(text, tone = "") {
  const note = document.createElement("p");
  note.className = `toast ${tone}`;
  note.textContent = text;
  // A dialog lies above everything else on the page, so the note must be inside it to be seen.
  const host = document.querySelector("dialog[open] .toasts") ?? document.querySelector("#toasts");
  host.append(note);
  setTimeout(() => note.remove(), 6000);
}

/** Read a chosen File as the commands want it. */
export async function packFile(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (let start = 0; start < bytes.length; start += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return { name: file.name, type: file.type || "application/octet-stream", data: btoa(binary) };
}
