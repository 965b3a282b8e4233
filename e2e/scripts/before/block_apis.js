// Has the browser refuse what it may refuse: with cookies blocked, in a frame of another
// site, in a private window. Some of it throws at the mere name.
{
  const refuse = (o, name) => Object.defineProperty(o, name, { configurable: true, get() { throw new DOMException("planted", "SecurityError"); } });
  for (const name of ["BroadcastChannel", "localStorage", "sessionStorage", "indexedDB", "caches"]) refuse(globalThis, name);
  for (const name of ["storage", "locks", "serviceWorker", "gpu", "clipboard", "share", "wakeLock"]) refuse(navigator, name);
  refuse(crypto, "subtle");
}
