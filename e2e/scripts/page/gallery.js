// The gallery's database, looked at from outside.
{
  const open = () => new Promise((done, fail) => {
    const r = indexedDB.open("undertone-gallery", 1);
    r.onsuccess = () => done(r.result);
    r.onerror = () => fail(r.error);
  });

  test.gallery = {
    async records() {
      const base = await open();
      return new Promise((done) => {
        const all = base.transaction("pictures").objectStore("pictures").getAll();
        all.onsuccess = () => { base.close(); done(all.result); };
      });
    },
    count: async () => (await test.gallery.records()).length,
    firstFile: async () => test.base64((await test.gallery.records())[0].file),
    // Fills the gallery with copies of its only picture, and tells the page.
    async fill(total) {
      const [one] = await test.gallery.records(), base = await open();
      await new Promise((done, fail) => {
        const t = base.transaction("pictures", "readwrite"), store = t.objectStore("pictures");
        for (let i = 1; i < total; i++) store.add({ prompt: "picture " + i, at: one.at + i, file: one.file });
        t.oncomplete = () => { base.close(); done(); };
        t.onabort = () => fail(t.error);
      });
      new BroadcastChannel("undertone-gallery").postMessage("changed");
    },
    // Makes a database that is not Undertone's.
    otherDatabase: (name) => new Promise((done) => {
      const r = indexedDB.open(name, 1);
      r.onupgradeneeded = () => r.result.createObjectStore("x");
      r.onsuccess = () => { r.result.close(); done(); };
    }),
    databases: async () => (await indexedDB.databases()).map((d) => d.name).sort(),
  };
}
