// The files of the site: what the page has used of them, and what the browser keeps.
{
  let hashes, goOn, loop;
  const cached = async (visit) => {
    for (const key of await caches.keys()) await visit(await caches.open(key));
  };
  const changes = {
    evil: (text) => "globalThis.evil = true; " + text,
    cut: (text) => text.slice(0, text.length / 2),
    "other number": (text) => text.replace("number-1", "number-2"),
    empty: () => "",
  };
  // The hash of a picture of the small model on the CPU, by the page's own copy of the API.
  const picture = async () => {
    const u = await undertone.Undertone.load("models/sprites/model.json", { device: "cpu", store: true });
    const { image } = await u.generate({ prompt: "the frog at night", seed: 3 });
    u.close();
    return test.digest(image.data);
  };

  test.site = {
    picture,
    beginPictures() {
      hashes = test.site.hashes = [];
      goOn = true;
      loop = (async () => { while (goOn) hashes.push(await picture()); })();
    },
    // The different hashes of the pictures.
    async endPictures() {
      goOn = false;
      await loop;
      return [...new Set(hashes)];
    },
    used: () => performance.getEntriesByType("resource").map((e) => e.name),
    // The paths of the scripts and programs that the page has used.
    programs: () => [...new Set(test.site.used().map((name) => new URL(name).pathname))].filter((p) => /\.(js|wasm)$/.test(p)).sort(),
    // What index.html asks for by itself.
    requested: () => [...document.querySelectorAll("script[src], link[href]")].map((e) => new URL(e.src || e.href).pathname),

    // Changes what the caches hold of a file; in how many.
    async corrupt(name, how) {
      const address = new URL(name, location.href);
      let n = 0;
      await cached(async (cache) => {
        const kept = await cache.match(address);
        if (!kept) return;
        const text = Array.from(new Uint8Array(await kept.arrayBuffer()), (b) => String.fromCharCode(b)).join("");
        const other = Uint8Array.from(changes[how](text), (c) => c.charCodeAt(0));
        await cache.put(address, new Response(other, { headers: kept.headers }));
        n++;
      });
      return n;
    },
    // The files in a cache whose name has another hash than their bytes.
    async corrupted() {
      const names = [];
      await cached(async (cache) => {
        for (const request of await cache.keys()) {
          const hash = request.url.match(/assets\/.*\.([0-9a-f]{12})\.[a-z0-9]+$/)?.[1];
          if (hash && !(await test.digest(await (await cache.match(request)).arrayBuffer())).startsWith(hash)) names.push(request.url);
        }
      });
      return names;
    },
    // What the light page says of being kept, and whether its program compiles.
    async state() {
      const { offline, refused, why } = undertone.offline.state;
      return { offline, refused, why, compiled: await undertone.compiled().then(() => true, () => false) };
    },
    modelName: (address) => fetch(address).then((r) => r.json()).then((m) => m.name, () => "refused"),
    fetched: (address) => fetch(address).then(() => "answered", () => "refused"),

    // Looks for a new version, to the end of what comes of it.
    async lookForUpdate() {
      const r = await navigator.serviceWorker.getRegistration();
      const found = new Promise((done) => r.addEventListener("updatefound", () => done(r.installing ?? r.waiting), { once: true }));
      await undertone.offline.check();
      // A service worker that cannot be had at all is told at once, and none comes.
      const patience = undertone.offline.state.refused === "sw.js" ? 500 : 20000;
      const next = r.installing ?? r.waiting ?? await Promise.race([found, test.sleep(patience)]);
      const over = ["installed", "activated", "redundant"];
      while (next && !over.includes(next.state)) await test.sleep(20);
      for (let i = 0; next?.state === "installed" && !undertone.offline.state.update && i < 500; i++) await test.sleep(20);
      return undertone.offline.state.update;
    },
    // Runs what leads to another page, after the call from the test has ended.
    leave(run) {
      globalThis.old = true;
      setTimeout(run, 50);
    },
    takeUpdate: () => test.site.leave(undertone.offline.update),
    pressUpdate: () => test.site.leave(() => document.querySelector("#update-now").click()),
    reload: () => test.site.leave(() => location.reload()),
    // Headless browsers offer no installation: the offer is made here; whether it was taken.
    async install() {
      const offer = new Event("beforeinstallprompt", { cancelable: true });
      let prompted = false;
      offer.prompt = () => { prompted = true; };
      dispatchEvent(offer);
      if (!offer.defaultPrevented || !undertone.offline.state.installable) return false;
      await undertone.offline.install();
      return prompted && !undertone.offline.state.installable;
    },

    // Puts weights into the store, of 2.5 pieces, as if a model had been loaded.
    async storeWeights(pieceBytes) {
      const pieces = [], files = [{ path: "dit.gguf", bytes: 2.5 * pieceBytes, pieces }];
      const ours = await (await navigator.storage.getDirectory()).getDirectoryHandle("undertone", { create: true });
      const folder = await ours.getDirectoryHandle("pieces", { create: true });
      for (const length of [1, 1, 0.5]) {
        const bytes = new Uint8Array(length * pieceBytes).fill(pieces.length + 1);
        pieces.push(await test.digest(bytes));
        const w = await (await folder.getFileHandle(pieces.at(-1), { create: true })).createWritable();
        await w.write(bytes);
        await w.close();
      }
      await undertone.store.remember(location.href + "models/tiny/model.json", JSON.stringify({ name: "tiny", files }), true);
    },
    // How many bytes of weights there are, and how many pieces have their own content.
    async storedWeights() {
      const { used, models } = await undertone.store.survey();
      const right = (await test.store.pieces()).filter((p) => p[2]).length;
      return { used, stored: models[0]?.stored, right };
    },
    offline() {
      Object.defineProperty(navigator, "onLine", { value: false, configurable: true });
      dispatchEvent(new Event("offline"));
    },
  };
}
