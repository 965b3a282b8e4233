// The one Trusted Types policy of the site: it lets through the addresses of the
// engine's worker and of the service worker, and nothing else.

export const workerAddress = new URL("./worker.js", import.meta.url).href;
export const serviceWorkerAddress = new URL("./sw.js", import.meta.url).href;

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
