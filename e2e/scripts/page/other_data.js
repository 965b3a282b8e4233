// What others keep on the same origin.
{
  const settled = (r) => new Promise((done, failed) => { r.onsuccess = () => done(r.result); r.onerror = () => failed(r.error); });
  const database = () => {
    const r = indexedDB.open("theirs", 1);
    r.onupgradeneeded = () => r.result.createObjectStore("notes");
    return settled(r);
  };

  test.otherData = {
    async write() {
      const root = await navigator.storage.getDirectory();
      const writable = await (await root.getFileHandle("theirs", { create: true })).createWritable();
      await writable.write("file");
      await writable.close();
      await (await caches.open("somebody's")).put("/theirs", new Response("cache"));
      const base = await database();
      await settled(base.transaction("notes", "readwrite").objectStore("notes").put("base", 1));
      base.close();
      localStorage.theirs = "local";
    },
    async read() {
      const file = await (await (await navigator.storage.getDirectory()).getFileHandle("theirs")).getFile();
      const cached = await (await caches.open("somebody's")).match("/theirs");
      const base = await database();
      const note = await settled(base.transaction("notes").objectStore("notes").get(1));
      base.close();
      return [await file.text(), await cached?.text(), note, localStorage.theirs];
    },
    // Deletes all models; how many bytes the browser says it kept before and after, and how
    // long it took until so many were gone, two seconds at most.
    async freedByRemoval(bytes) {
      const usage = async () => (await navigator.storage.estimate()).usage;
      const before = await usage();
      const at = performance.now();
      await test.store.remove();
      let after = await usage();
      while (before - after < bytes && performance.now() - at < 2000) { await test.sleep(20); after = await usage(); }
      return { before, after, ms: performance.now() - at };
    },
    async openCaches(...names) {
      for (const name of names) await caches.open(name);
    },
  };
}
