// Times as people read them.

const TIME = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const EXACT = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/** Make a `<time>` for a Slack `ts`. */
export function timeOfTs(ts) {
  return timeNode(new Date(Number(ts) * 1000));
}

/** Make a `<time>` for an ISO 8601 moment. */
export function timeOfIso(iso) {
  return timeNode(new Date(iso));
}

function timeNode(moment) {
  const node = document.createElement("time");
  node.dateTime = moment.toISOString();
  node.title = FULL.format(moment);
  node.textContent = TIME.format(moment);
  return node;
}

/** Return hours, minutes and seconds of an ISO 8601 moment. */
export function exactTime(iso) {
  return EXACT.format(new Date(iso));
}

/** Write a US number in its national form; others stand as they are. */
export function prettyNumber(number) {
  const match = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number);
  return match ? `(${match[1]}) ${match[2]}-${match[3]}` : number;
}
