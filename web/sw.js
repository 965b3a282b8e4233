// The service worker: with it the page starts without a network.
//
// What it keeps to:
// - A version is one list of files with their hashes, which the site's builder
//   writes below. All that it needs are fetched and verified before the version is
//   installed; if one is missing or differs, nothing changes, the version that is
//   there goes on serving, and the pages are told which file it was (the browser
//   tries again later).
// - A page is served by one version from its first byte to its last: everything
//   beneath index.html has its content's hash in its name, and what an open page of
//   the version before still asks for is found in that version's cache.
// - Nothing stored is trusted because of its name: whatever leaves a cache, for a
//   page or for a new version's cache, has the hash that it should have. What differs
//   is deleted and fetched again; without a network it is refused.
// - Some hosts add lines to every HTML page. Such a page is kept as the host sends
//   it, if it names this version's files and no others, for when there is no network.
// - A new version waits until a person asks for it (web/offline.js), or a page does
//   not start with the one that is there (web/boot.js).
// - The engine's program is needed from the first model on: it is kept once a page
//   has fetched it, and by every version while a model is stored (web/store.js).
//   Who only reads the page does not fetch it.
// - The Lab's files are kept once it was opened: few who read the page do.
// - Weights are not here: the engine stores them, by their hashes, for all
//   versions. Of a model only model.json and description.json are kept, for when there
//   is no network.
// - Nothing else is touched: no other page's request, no other program's cache.
//
// These are our own lines and not Workbox because the list above with its hashes
// comes from the Go builder, without Node, and because Workbox deletes the files of
// the version before as soon as a new one is active, under the pages still open.

const site = { version: "unbuilt", shell: {}, pages: {}, engine: [], lab: [], models: [] };

const scope = new URL("./", self.location.href).href;
const prefix = `undertone ${scope} `; // two copies of the site on one origin have caches of their own
const shellCache = `${prefix}shell ${site.version}`;
const modelCache = `${prefix}models`;
const shell = new Map(Object.entries(site.shell)); // name → integrity
const index = "index.html";

const hashed = /^assets\/[^?#]*\.[0-9a-f]{12}\.[a-z0-9]+$/;
const modelName = /^models\/[^?#]*\b(model|description)\.json$/;

/** How long a network that hardly works is waited for where there is a stored answer, in milliseconds. */
const patience = 4000;
const manifestBytes = 1 << 20;

/** What is stored and has no hash in the list carries its own in this header. */
const ownIntegrity = "Undertone-Integrity";

/** Why a file is not kept: "missing", "changed" (it is not the one in the list) or
 * "unstored" (the browser did not take it). */
class Refusal extends Error {
  constructor(file, why, detail) {
    super(`${file} is ${why}: ${detail}`);
    Object.assign(this, { file, why });
  }
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function install() {
  try {
    await keepAll(await modelStored());
  } catch (error) {
    for (const page of await openPages()) page.postMessage({ undertone: "refused", file: error.file, why: error.why });
    throw error;
  }
  // The first visit asked for a model's description before this worker could see it.
  await Promise.allSettled(site.models.map((name) => freshModel(new Request(scope + name))));
}

/** Keeps what the page needs, and what the engine needs if it is asked for. */
async function keepAll(withEngine) {
  const names = Array.from(shell.keys()).filter((name) => (withEngine || !site.engine.includes(name)) && !site.lab.includes(name));
  await Promise.all(names.map(keep));
}

/** Whether a model is stored on this machine, or the beginning of one (web/store.js). */
async function modelStored() {
  try {
    let folder = await navigator.storage.getDirectory();
    for (const name of ["undertone", "models"]) folder = await folder.getDirectoryHandle(name);
    for await (const _ of folder.keys()) return true;
  } catch {
    // There is none, or this browser stores nothing.
  }
  return false;
}

/** Sees to it that this version's cache holds a file. */
async function keep(name) {
  try {
    if (await whole(shellCache, scope + name, accepts(name))) return;
    await store(name, (await held(name)) ?? (await pull(name)));
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(name, "unstored", error.message);
  }
}

async function store(name, response) {
  await (await caches.open(shellCache)).put(scope + name, response);
}

/** The stored file; one with a hash in its name may be another version's as well. */
async function held(name) {
  let response = await whole(shellCache, scope + name, accepts(name));
  if (response || !hashed.test(name)) return response;
  for (const cacheName of await ownCaches()) response ??= await whole(cacheName, scope + name, accepts(name));
  return response;
}

/** A copy of what a cache holds, if it passes the check; otherwise it is deleted. */
async function whole(cacheName, address, check) {
  const response = await caches.match(address, { cacheName });
  if (!response) return undefined;
  const bytes = await response.arrayBuffer().catch(() => new ArrayBuffer(0)); // it cannot be read
  if (check(bytes, await sha256(bytes), response.headers.get(ownIntegrity))) return answer(bytes, response.headers);
  await (await caches.open(cacheName)).delete(address);
  return undefined;
}

/** The check for a file of the site: of bytes, their hash, and the integrity that was
 * stored with them, if any. */
function accepts(name) {
  return (bytes, sum, own) => {
    if (shell.has(name)) return integrity(sum) === shell.get(name) || (integrity(sum) === own && ours(name, bytes));
    // Of another version's file the name holds the beginning of the hash.
    return name.split(".").at(-2) === Array.from(sum.subarray(0, 6), (b) => b.toString(16).padStart(2, "0")).join("");
  };
}

async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

function integrity(sum) {
  return "sha256-" + btoa(String.fromCharCode(...sum));
}

/** Whether a page that is not the one in the list is that page all the same, with
 * something added: of the site's hashed files it names the same ones. */
function ours(name, bytes) {
  const expected = site.pages[name];
  if (!expected) return false;
  const names = new Set(new TextDecoder().decode(bytes).match(/assets\/[\w.-]+\.[0-9a-f]{12}\.[a-z0-9]+/g));
  return names.size > 0 && names.size === expected.length && expected.every((file) => names.has(file));
}

/** An answer of these bytes. It has the headers of the one that they came with (a
 * worker's policy is among them), without those that are true of that one alone:
 * a cache refuses what varies with everything. It also answers navigations, which
 * one that followed a redirect cannot. */
function answer(bytes, from, own) {
  const headers = new Headers(from);
  for (const name of ["Vary", "Content-Encoding", "Content-Length"]) headers.delete(name);
  if (own) headers.set(ownIntegrity, own);
  return new Response(bytes, { headers });
}

/** Fetches a file and verifies it, the second time past the browser's HTTP cache. */
async function pull(name, modes = [hashed.test(name) ? "default" : "no-cache", "reload"]) {
  // A bucket without an index document serves index.html only by its name, and
  // some hosts send that name on to the folder.
  const addresses = name === index ? [scope, scope + name] : [scope + name];
  let failed;
  for (const cache of modes) {
    for (const address of addresses) {
      try {
        const response = await fetch(address, { cache, credentials: "same-origin" });
        if (!response.ok) throw new Refusal(name, "missing", `${address} answered ${response.status}`);
        const bytes = await response.arrayBuffer();
        const sum = await sha256(bytes);
        if (accepts(name)(bytes, sum)) return answer(bytes, response.headers);
        if (ours(name, bytes)) return answer(bytes, response.headers, integrity(sum));
        throw new Refusal(name, "changed", `${address} is ${bytes.byteLength} other bytes`);
      } catch (error) {
        // That a file differs says more than that it was not at another address, too.
        if (failed?.why !== "changed") failed = error instanceof Refusal ? error : new Refusal(name, "missing", error.message);
      }
    }
  }
  throw failed;
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(scope) || request.headers.has("Range")) return;
  const name = request.url.slice(scope.length).replace(/[?#].*$/s, "");
  if (request.mode === "navigate") {
    const document = name || index;
    if (document.endsWith(".html") && shell.has(document)) event.respondWith(page(document, request));
  } else if (modelName.test(name)) {
    event.respondWith(model(request));
  } else if (shell.has(name) || hashed.test(name)) {
    event.respondWith(file(name, request));
  }
});

async function file(name, request) {
  const stored = await held(name);
  if (stored) return stored;
  try {
    const response = await pull(name);
    if (shell.has(name)) await store(name, response.clone()).catch(() => {}); // a full disk is no reason to fail
    return response;
  } catch {
    // A name without a hash means whatever is there now.
    return hashed.test(name) ? Response.error() : fetch(request);
  }
}

/** A page. One that its host changes comes from the network, as long as it is this version's. */
async function page(name, request) {
  const stored = await held(name);
  if (!stored?.headers.has(ownIntegrity)) return stored ?? file(name, request);
  return newest(stored, async () => {
    const response = await pull(name, ["no-cache"]);
    await store(name, response.clone()).catch(() => {});
    return response;
  });
}

/** What the network has, or, where it has nothing or is late, what is stored. */
async function newest(stored, fresh) {
  let timer;
  const late = new Promise((done) => (timer = setTimeout(done, patience, stored)));
  return Promise.race([fresh().catch(() => stored), late]).finally(() => clearTimeout(timer));
}

async function ownCaches() {
  return (await caches.keys()).filter((name) => name.startsWith(prefix));
}

/** What is told of a model as the network has it, else as it was stored last. */
async function model(request) {
  const stored = await whole(modelCache, request.url, (bytes, sum, own) => integrity(sum) === own && tellsOfModel(bytes));
  if (!stored) return (await freshModel(request)).response;
  return newest(stored, async () => {
    const { response, valid } = await freshModel(request);
    return valid ? response : stored;
  });
}

async function freshModel(request) {
  const response = await fetch(request.url, { cache: "no-cache", credentials: "same-origin", signal: request.signal });
  const bytes = await response.clone().arrayBuffer();
  const valid = response.ok && tellsOfModel(bytes);
  if (valid) {
    const cache = await caches.open(modelCache);
    const copy = answer(bytes, { "Content-Type": "application/json" }, integrity(await sha256(bytes)));
    await cache.put(request.url, copy).catch(() => {}); // a full disk is no reason to fail
  }
  return { response, valid };
}

/** Whether it is a model.json or a description of one: a login page or a captive portal
 * also answers with status 200. */
function tellsOfModel(bytes) {
  try {
    if (bytes.byteLength > manifestBytes) return false;
    const { format, model, sizes } = JSON.parse(new TextDecoder().decode(bytes)) ?? {};
    return format === "undertone-model" || (typeof model === "string" && Array.isArray(sizes));
  } catch {
    return false;
  }
}

self.addEventListener("message", (event) => {
  switch (event.data?.undertone) {
    case "activate":
      event.waitUntil(self.skipWaiting());
      break;
    case "started": // a page runs, and says which script it runs from
      event.waitUntil(started(event));
      break;
    case "engine": // a page has fetched the engine's program
      event.waitUntil(Promise.allSettled(site.engine.map(keep))); // the next start tries again
  }
});

/** Tells a page whether it starts without a network: looks at every file that it needs, fetches
 * again what has been changed or lost, and then deletes what former versions left. */
async function started({ data, source }) {
  const told = await keepAll(await modelStored()).then(
    () => ({ whole: true }),
    ({ file, why }) => ({ whole: false, file, why }),
  );
  const stored = await caches.match(scope + index, { cacheName: shellCache });
  source?.postMessage({ undertone: "kept", ...told, changed: Boolean(stored?.headers.has(ownIntegrity)) });
  await tidy(data.script);
}

/** Deletes what former versions left, once no page of theirs can be open: the only
 * page there is belongs to this version. */
async function tidy(script) {
  const open = await openPages();
  if (open.length !== 1 || !String(script).startsWith(scope) || !shell.has(String(script).slice(scope.length))) return;
  for (const name of await ownCaches()) {
    if (name !== shellCache && name !== modelCache) await caches.delete(name);
  }
}

async function openPages() {
  const all = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  return all.filter((page) => page.url.startsWith(scope));
}
