// The page as an app: it registers the service worker (sw.js), hears of updates and
// of the browser's offer to install, and tells the page's view of these things
// (wasm/page/shell/update_js.go), which reads `state` and calls the rest. A page that
// works is never reloaded unless a person asks for it.
import { script, serviceWorkerAddress } from "./trusted.js";

/** How often a page that stays open looks for a new version, in milliseconds. */
const interval = 60 * 60 * 1000;

let changed = () => {};
let registration;
let prompt; // the browser's offer to install
let reloading = false;

/** What the page shows: `update` is "", "waiting" (a new version is ready to be
 * chosen) or "chosen" (another tab chose it; this one still runs the old). `offline`
 * says that the page starts without a network; `changed`, that its host changes it on
 * its way. `refused` names the file for which it does not start, or for which a new
 * version was not taken, and `why` is sw.js's reason, or "worker" for sw.js itself. */
export const state = { online: navigator.onLine, update: "", installable: false, offline: false, changed: false, refused: "", why: "" };

function set(values) {
  Object.assign(state, values);
  changed();
}

/** Calls f now and whenever the state has changed. */
export function listen(f) {
  changed = f;
  f();
}

addEventListener("online", () => set({ online: true }));
addEventListener("offline", () => set({ online: false }));
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault(); // the page has a button of its own for it
  prompt = event;
  set({ installable: true });
});
addEventListener("appinstalled", () => {
  prompt = undefined;
  set({ installable: false });
});

/** Shows the browser's own dialogue for installing. */
export async function install() {
  const offer = prompt;
  prompt = undefined; // it can be shown once
  set({ installable: false });
  await offer?.prompt();
}

/** The service workers of this browser, where a page may have them. */
function container() {
  try {
    return isSecureContext ? navigator.serviceWorker : undefined;
  } catch {
    return undefined; // a sandboxed frame
  }
}

// At once, since a new version may be refused before the page's program runs.
container()?.addEventListener("message", ({ data }) => {
  const { file = "", why = "" } = data ?? {};
  if (data?.undertone === "refused") set({ refused: file, why });
  if (data?.undertone === "kept") set({ offline: data.whole, changed: data.changed, ...(!data.whole && { refused: file, why }) });
});

/** Registers the service worker. main is the address of the page's script, by which
 * the service worker knows the page's version. */
export async function register(main) {
  const workers = container();
  if (!workers || registration) return;
  let controlled = Boolean(workers.controller);
  workers.addEventListener("controllerchange", () => {
    if (reloading) location.reload();
    else if (controlled) set({ update: "chosen" }); // by another tab
    controlled = true; // the first time it is this page's own version
  });
  try {
    registration = await workers.register(script(serviceWorkerAddress), { updateViaCache: "none" });
  } catch (error) {
    console.info("This page will not start without a network:", error.message);
    set({ refused: "sw.js", why: "worker" });
    return;
  }
  // Events come late to a page in the background, so each looks at what is now.
  const look = () => {
    if (registration.waiting && workers.controller) set({ update: "waiting", refused: "" });
    else if (state.update === "waiting") set({ update: "" }); // chosen elsewhere, or given way to a newer one
  };
  look();
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", look);
    look();
  });
  setInterval(check, interval);
  addEventListener("online", check);
  const { active } = await workers.ready;
  set({ refused: "" });
  (workers.controller ?? active).postMessage({ undertone: "started", script: main }); // it answers "kept"
  watchEngine();
}

/** Once the engine's program is fetched, every version that is installed keeps it: a
 * page that is not served by a service worker yet has fetched it past one. */
function watchEngine() {
  const program = new URL("./engine.wasm", import.meta.url).href;
  new PerformanceObserver((list) => {
    if (!list.getEntries().some((entry) => entry.name === program)) return;
    for (const worker of [registration.active, registration.waiting]) worker?.postMessage({ undertone: "engine" });
  }).observe({ type: "resource", buffered: true });
}

/** Looks for a new version. */
export async function check() {
  try {
    await registration?.update();
  } catch {
    // Without a network there is no answer, and nothing to say.
    const answer = await fetch(serviceWorkerAddress, { cache: "no-store" }).catch(() => undefined);
    if (answer) set({ refused: "sw.js", why: "worker" });
  }
}

/** Takes the new version into use and reloads; the page asks only between pictures. */
export function update() {
  reloading = true;
  if (registration?.waiting) registration.waiting.postMessage({ undertone: "activate" });
  else location.reload();
}
