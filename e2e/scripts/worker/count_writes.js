// Runs in the engine's worker before its own script: tells how many bytes of pieces are
// written into the origin's private file system.
{
  const channel = new BroadcastChannel("test-writes");
  const { write } = FileSystemSyncAccessHandle.prototype;
  FileSystemSyncAccessHandle.prototype.write = function (bytes, ...rest) {
    const n = write.call(this, bytes, ...rest);
    channel.postMessage(n);
    return n;
  };
}
