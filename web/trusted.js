// The one Trusted Types policy of the site: it lets through the addresses of the
// engine's worker and of the service worker, and nothing else.

export const workerAddress = new URL("./worker.js", import.meta.url).href;
export const serviceWorkerAddress = new URL("./sw.js", import.meta.url).href;

const policy = globalThis.trustedTypes?.createPolicy("undertone", {
  createScriptURL(address) {
    if (address !== workerAddress && address !== serviceWorkerAddress) throw new TypeError(`not a script of Undertone: ${address}`);
    return address;
  },
});

/** The address as the browser wants it where it starts a script. */
export function script(address) {
  return policy ? policy.createScriptURL(address) : address;
}
