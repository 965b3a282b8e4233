// The one Trusted Types policy of the site: it lets through the addresses of the
// engine's worker and of the service worker, and nothing else. And what an import map
// does for the scripts of a page (cmd/undertone/internal/site/integrity.go), for those
// of the engine's worker, where there is none.

export const workerAddress = new URL("./worker.js", import.meta.url).href;
export const serviceWorkerAddress = new URL("./sw.js", import.meta.url).href;

/** What the worker runs, each with its hash, as fetch takes it. */
const parts = [
  [workerAddress, "./worker.js#integrity"],
  [new URL("./protocol.js", import.meta.url), "./protocol.js#integrity"],
  [new URL("./replay.js", import.meta.url), "./replay.js#integrity"],
  [new URL("./store.js", import.meta.url), "./store.js#integrity"],
  [new URL("./wasm_exec.js", import.meta.url), "./wasm_exec.js#integrity"],
];

/** Resolves when all that the worker runs has been fetched, and is what the site was built
 * with; otherwise it rejects. The worker's own fetches find it in the browser's HTTP cache. */
export const unchanged = () => Promise.all(parts.map(fetchWhole));

async function fetchWhole([address, integrity]) {
  const get = async (cache) => {
    const response = await fetch(address, { cache, integrity });
    if (!response.ok) throw new Error(`${address} answered ${response.status}`);
    await response.arrayBuffer();
  };
  try {
    await get("default");
  } catch {
    await get("reload").catch(({ message }) => { // past the browser's HTTP cache, which the worker's scripts come from
      throw new Error(`${address} is missing, or not the file that the site was built with (${message})`);
    });
  }
}

let policy;

/** The address as the browser wants it where it starts a script. */
export function script(address) {
  policy ??= makePolicy();
  return policy ? policy.createScriptURL(address) : address;
}

/** Made when it is first needed. Where the page's own rules do not allow it, the bare
 * address is tried: whoever starts the script hears what the browser says to that. */
function makePolicy() {
  try {
    return globalThis.trustedTypes?.createPolicy("undertone", {
      createScriptURL(address) {
        if (address !== workerAddress && address !== serviceWorkerAddress) throw new TypeError(`not a script of Undertone: ${address}`);
        return address;
      },
    });
  } catch {
    return undefined;
  }
}
