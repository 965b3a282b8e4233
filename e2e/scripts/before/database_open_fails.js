IDBFactory.prototype.open = function () {
  const r = new EventTarget();
  r.error = new DOMException("planted", "UnknownError");
  setTimeout(() => r.onerror?.(new Event("error")));
  return r;
};
