// The kill switch: `undertone dist --kill` serves this as sw.js. Browsers fetch it
// in place of the service worker they have; it takes over at once, deletes the
// site's own caches and unregisters, so that pages come from the network again.
// Pages that are open stay open, and stored weights stay stored.

const prefix = `undertone ${new URL("./", self.location.href).href} `;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(end()));

async function end() {
  for (const name of await caches.keys()) {
    if (name.startsWith(prefix)) await caches.delete(name);
  }
  await self.registration.unregister();
}
