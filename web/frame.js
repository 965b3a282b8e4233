// What the embed knows of the world around its frame: the page that holds it (element.js
// there), other frames of this site, and whether anybody sees it.
//
// The host is a stranger. It is heard through one MessagePort, which it gets for the nonce
// that this document has sent to its parent, once. What comes through it and is not of the
// form below changes nothing. It decides what is drawn, and nothing that costs bytes or
// starts a GPU: that takes a press in this frame, or weights that are here already.

const version = 1; // of what is said; element.js has the same
const nonce = Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16)).join("-");
const mostText = 1 << 16; // characters of a message

/** What a host may say, each with the type of its value. */
const kinds = { set: "string", look: "string", generate: "undefined", stop: "undefined", blob: "undefined" };

/** Whether this document is in a frame of another. */
export const framed = window.parent !== window;

let port;
let early = []; // what was told before there was a port
let said = []; // what was heard before anybody listened
let hear = (...words) => said.length < 100 && said.push(words);

if (framed) {
  addEventListener("message", connect);
  parent.postMessage({ undertone: "hello", version, nonce }, "*"); // nothing secret: whoever answers gets a port once
}

function connect({ source, data, ports }) {
  if (source !== parent || data?.undertone !== "connect" || data.version !== version || data.nonce !== nonce || ports.length !== 1) return;
  removeEventListener("message", connect); // a second time, it is a replay
  [port] = ports;
  port.onmessage = receive;
  early.forEach((message) => port.postMessage(message));
  early = [];
}

function receive({ data, ports }) {
  if (Object.prototype.toString.call(data) !== "[object Object]" || ports.length) return;
  const { type, id = 0, value } = data;
  if (typeof type !== "string" || !Object.hasOwn(kinds, type) || typeof value !== kinds[type] || value?.length > mostText) return;
  if (!Number.isSafeInteger(id) || id < 0 || id > 2 ** 31) return;
  hear(type, id, value ?? "");
}

/** Calls f(type, id, text) for what the host says; until then it waits. */
export function listen(f) {
  hear = f;
  said.forEach((words) => f(...words));
  said = [];
}

/** Tells the host what happens. */
export function tell(type, detail) {
  if (port) port.postMessage({ type, detail });
  else if (framed && early.length < 100) early.push({ type, detail });
}

/** Answers what the host asked under a number: with a value, which may be a promise, or
 * with a fault { code, message, advice }. */
export async function answer(id, value, fault) {
  try {
    port?.postMessage({ type: "answer", id, value: await value, fault });
  } catch ({ code = "internal", message, advice = "" }) {
    port?.postMessage({ type: "answer", id, fault: { code, message, advice } });
  }
}

/** Tells the host how high the document wants to be, now and at every change. */
const tellHeight = () => tell("height", Math.ceil(document.body.getBoundingClientRect().height));
new ResizeObserver(tellHeight).observe(document.body);

/** Calls f(seen) now and whenever the frame comes into view or goes out of it. */
export function watch(f) {
  new IntersectionObserver((entries) => f(entries.at(-1).isIntersecting)).observe(document.body);
}

/** Makes the document light or dark whatever the browser prefers, or, with "auto", as it
 * prefers: a frame has a preference of its own only in some browsers. */
export function theme(name) {
  document.documentElement.style.colorScheme = name === "auto" ? "" : name;
  for (const { media, preferred, scheme } of (schemes ??= findSchemes())) {
    media.mediaText = name === "auto" ? preferred : name === scheme ? "all" : "not all";
  }
}
let schemes;

/** The rules of the document's styles that ask for a scheme. */
function findSchemes() {
  const rules = Array.from(document.styleSheets, ({ cssRules }) => Array.from(cssRules)).flat();
  return rules.filter((rule) => rule instanceof CSSMediaRule).flatMap(({ media }) => {
    const [, scheme] = /^\(prefers-color-scheme: ?(light|dark)\)$/.exec(media.mediaText) ?? [];
    return scheme ? [{ media, preferred: media.mediaText, scheme }] : [];
  });
}
