// Stands in for the system's share sheet and clipboard: what the page gives them lies in
// shared and copied.
globalThis.shared = [];
globalThis.sheet = { files: true, closed: false };
Object.assign(Navigator.prototype, {
  canShare: ({ files }) => files === undefined || sheet.files,
  async share(what) {
    shared.push(what);
    if (sheet.closed) throw new DOMException("closed", "AbortError");
  },
});
globalThis.copied = [];
navigator.clipboard.write = async ([item]) => {
  if (globalThis.refuseClipboard) throw new DOMException("denied", "NotAllowedError");
  copied.push(await item.getType("image/png"));
};
