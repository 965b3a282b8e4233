// Has the browser refuse what it may refuse: with cookies blocked, in a frame of another
// site, in a private window. Some of it throws at the mere name. In a document the tests'
// own scripts come after this one and want a channel, so there it begins behind them.
{
  const block = () => {
    const refuse = (o, name) => Object.defineProperty(o, name, { configurable: true, get() { throw new DOMException("planted", "SecurityError"); } });
    for (const name of ["BroadcastChannel", "localStorage", "sessionStorage", "indexedDB", "caches"]) refuse(globalThis, name);
    for (const name of ["storage", "locks", "serviceWorker", "gpu", "clipboard", "share", "wakeLock"]) refuse(navigator, name);
    refuse(crypto, "subtle");
  };
  if (!globalThis.document) block();
  else {
    const { BroadcastChannel: Channel } = globalThis;
    let blocked = false;
    Object.defineProperty(globalThis, "BroadcastChannel", { configurable: true, get() {
      if (!blocked) queueMicrotask(block);
      blocked = true;
      return Channel;
    } });
  }
}
