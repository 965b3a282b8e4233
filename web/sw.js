// The service worker: with it the page starts without a network.
//
// What it keeps to:
// - A version is one list of files with their hashes, which the site's builder
//   writes below. All of them are fetched and verified before the version is
//   installed; if one is missing or differs, nothing changes and the version that
//   is there goes on serving (the browser tries again later).
// - A page is served by one version from its first byte to its last: everything
//   beneath index.html has its content's hash in its name, and what an open page of
//   the version before still asks for is found in that version's cache.
// - A new version waits until a person asks for it (web/offline.js).
// - Weights are not here: the engine stores them, by their hashes, for all
//   versions. Of a model only model.json is kept, for when there is no network.
// - Nothing else is touched: no other page's request, no other program's cache.
//
// These are our own lines and not Workbox because the list above with its hashes
// comes from the Go builder, without Node, and because Workbox deletes the files of
// the version before as soon as a new one is active, under the pages still open.

const site = { version: "unbuilt", shell: {}, models: [] };

const scope = new URL("./", self.location.href).href;
const prefix = `undertone ${scope} `; // two copies of the site on one origin have caches of their own
const shellCache = `${prefix}shell ${site.version}`;
const modelCache = `${prefix}models`;
const shell = new Map(Object.entries(site.shell)); // name → integrity

const hashed = /^assets\/[^?#]*\.[0-9a-f]{12}\.[a-z0-9]+$/;
const modelName = /^models\/[^?#]*\bmodel\.json$/;

/** How long a network that hardly works is waited for where there is a stored answer, in milliseconds. */
const patience = 4000;
const manifestBytes = 1 << 20;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function install() {
  const cache = await caches.open(shellCache);
  await Promise.all(Array.from(shell, ([name, integrity]) => keep(cache, name, integrity)));
  // The first visit asked for model.json before this worker could see it.
  await Promise.allSettled(site.models.map((name) => freshModel(new Request(scope + name))));
}

async function keep(cache, name, integrity) {
  const address = scope + name;
  if (await cache.match(address)) return;
  const response = (hashed.test(name) && (await stored(address))) || (await pull(name, integrity));
  await cache.put(address, response);
}

/** Fetches a file of the shell; one whose hash differs is refused by the browser. */
async function pull(name, integrity) {
  // A bucket without an index document serves index.html only by its name, and
  // some hosts send that name on to the folder.
  const addresses = name === "index.html" ? [scope, scope + name] : [scope + name];
  let failed;
  for (const cache of [hashed.test(name) ? "default" : "no-cache", "reload"]) {
    for (const address of addresses) {
      try {
        const response = await fetch(address, { cache, integrity, credentials: "same-origin" });
        if (!response.ok) throw new Error(`${address} answered ${response.status}`);
        return unredirected(response);
      } catch (error) {
        failed = error;
      }
    }
  }
  throw failed;
}

/** A response that followed a redirect cannot answer a navigation; a copy can. */
function unredirected(response) {
  if (!response.redirected) return response;
  return new Response(response.body, { status: response.status, headers: response.headers });
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(scope) || request.headers.has("Range")) return;
  const name = request.url.slice(scope.length).replace(/[?#].*$/s, "");
  if (request.mode === "navigate") {
    const page = name || "index.html";
    if (page.endsWith(".html") && shell.has(page)) event.respondWith(fromShell(page, request));
  } else if (modelName.test(name)) {
    event.respondWith(model(request));
  } else if (shell.has(name) || hashed.test(name)) {
    event.respondWith(fromShell(name, request));
  }
});

async function fromShell(name, request) {
  const cache = await caches.open(shellCache);
  const response = (await cache.match(scope + name)) ?? (hashed.test(name) ? await stored(scope + name) : undefined);
  return response ?? fetch(request);
}

/** Looks through the caches of all versions of this site. */
async function stored(address) {
  for (const name of await ownCaches()) {
    const response = await (await caches.open(name)).match(address);
    if (response) return response;
  }
  return undefined;
}

async function ownCaches() {
  return (await caches.keys()).filter((name) => name.startsWith(prefix));
}

/** model.json as the network has it, else as it was stored last. */
async function model(request) {
  const cache = await caches.open(modelCache);
  const old = await cache.match(request.url);
  if (!old) return (await freshModel(request)).response;
  let timer;
  const late = new Promise((done) => (timer = setTimeout(done, patience, old)));
  const fresh = freshModel(request).then(
    ({ response, valid }) => (valid ? response : old),
    () => old,
  );
  return Promise.race([fresh, late]).finally(() => clearTimeout(timer));
}

async function freshModel(request) {
  const response = await fetch(request.url, { cache: "no-cache", credentials: "same-origin", signal: request.signal });
  const text = await response.clone().text();
  const valid = response.ok && text.length <= manifestBytes && isManifest(text);
  if (valid) {
    const cache = await caches.open(modelCache);
    const copy = new Response(text, { headers: { "Content-Type": "application/json" } });
    await cache.put(request.url, copy).catch(() => {}); // a full disk is no reason to fail
  }
  return { response, valid };
}

/** A login page or a captive portal also answers with status 200. */
function isManifest(text) {
  try {
    return JSON.parse(text)?.format === "undertone-model";
  } catch {
    return false;
  }
}

self.addEventListener("message", (event) => {
  switch (event.data?.undertone) {
    case "activate": // a person has asked for the new version
      event.waitUntil(self.skipWaiting());
      break;
    case "started": // a page runs, and says which script it runs from
      event.waitUntil(tidy(event.data.script));
  }
});

/** Deletes what former versions left, once no page of theirs can be open: the only
 * page there is belongs to this version. */
async function tidy(script) {
  const all = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const pages = all.filter((page) => page.url.startsWith(scope));
  if (pages.length !== 1 || !String(script).startsWith(scope) || !shell.has(String(script).slice(scope.length))) return;
  for (const name of await ownCaches()) {
    if (name !== shellCache && name !== modelCache) await caches.delete(name);
  }
}
