// Runs by itself, beside everything else: it notices when the page does not start, or
// lacks a style, says so in index.html's words, and offers to reload. It is a classic
// script in old JavaScript, imports nothing and keeps its name, so that it runs where
// any other file is missing, and in browsers that cannot run the page.
(function () {
  var root = document.documentElement;
  var site = new URL("./", location.href).href;
  var lost = []; // names of what did not arrive, as far as the browser tells
  root.dataset.watched = ""; // program.js starts nothing where somebody has changed this file

  addEventListener("error", function (event) {
    lose(event.target === window ? event.filename : event.target.src || event.target.href);
  }, true);
  // At this event all scripts of the page have run, or never will.
  if (document.readyState === "complete") check();
  else addEventListener("load", check);

  function check() {
    if (root.dataset.state === "starting") root.dataset.state = "failed"; // page.js has not begun
    var bare = Array.prototype.filter.call(document.querySelectorAll("link[rel=stylesheet]"), isEmpty);
    bare.forEach(function (l) { lose(l.href); });
    if (bare.length > 0) show();
    // page.js tells when it could not go on, or its program has ended.
    new MutationObserver(look).observe(root, { attributes: true, attributeFilter: ["data-state"] });
    look();
  }

  function isEmpty(link) {
    try {
      return link.sheet.cssRules.length === 0;
    } catch (refused) {
      return true; // there is none, or it did not arrive as a style
    }
  }

  function look() {
    if (root.dataset.state !== "failed") return;
    show();
    compare();
    takeNewer();
  }

  /** Names the scripts that are not what the site was built with: the browser tells of
   * one that it refuses once, perhaps before this file has run. */
  function compare() {
    try {
      var built = JSON.parse(document.querySelector("script[type=importmap]").textContent).integrity;
      Object.keys(built || {}).forEach(function (name) {
        var address = new URL(name, site).href;
        fetch(address, { integrity: built[name] }).catch(function () {
          lose(address);
          show();
        });
      });
    } catch (refused) {} // a browser that knows none of this
  }

  function lose(address) {
    if (!address || address.indexOf(site) !== 0) return;
    var name = address.slice(site.length);
    if (name && lost.indexOf(name) < 0) lost.push(name);
  }

  /** Shows what is wrong, in the page's language. */
  function show() {
    var notice = document.getElementById("broken");
    var button = notice.querySelector("button");
    if (speaksChinese()) {
      notice.lang = "zh-Hans";
      notice.querySelectorAll("[data-zh]").forEach(function (e) { e.textContent = e.dataset.zh; });
    }
    used().forEach(function (e) { if (e.responseStatus >= 400) lose(e.name); });
    lose(root.dataset.lost);
    notice.querySelector(".muted").textContent = lost.join(", ");
    button.onclick = reload;
    notice.hidden = false;
  }

  /** The page's choice (wasm/page): what was chosen before, else the browser's first. */
  function speaksChinese() {
    var wishes = [];
    try {
      wishes.push(localStorage.getItem("undertone.language") || "");
    } catch (refused) {} // where the browser blocks storage, nothing was chosen
    wishes = wishes.concat(navigator.languages || navigator.language || []);
    var known = wishes.filter(function (tag) { return /^(en|zh)\b/i.test(tag); });
    return known.length > 0 && /^zh/i.test(known[0]);
  }

  function used() {
    return performance.getEntriesByType("resource");
  }

  /** Loads the page again, with scripts and styles that the browser's cache does not
   * hold yet: what it holds may be what is wrong. (wasm.js does that for the program.) */
  function reload() {
    this.disabled = true;
    var names = used().map(function (e) { return e.name; });
    document.querySelectorAll("script[src], link[href]").forEach(function (e) { names.push(e.src || e.href); });
    var fresh = names.filter(function (name, i) {
      return name.indexOf(site) === 0 && /\.(js|css)$/.test(name) && names.indexOf(name) === i;
    }).map(function (name) {
      return fetch(name, { cache: "reload" }).then(function (r) { return r.arrayBuffer(); }).catch(function () {});
    });
    var late = new Promise(function (done) { setTimeout(done, 10000); });
    Promise.race([Promise.all(fresh), late]).then(function () { location.reload(); });
  }

  /** Takes a newer version of the page as soon as there is one (sw.js): it may well
   * start, and nothing is lost by taking it. */
  function takeNewer() {
    try {
      var workers = navigator.serviceWorker;
      workers.getRegistration().then(function (registration) {
        if (!registration) return;
        workers.addEventListener("controllerchange", function () { location.reload(); });
        function take() {
          if (registration.waiting) registration.waiting.postMessage({ undertone: "activate" });
        }
        registration.addEventListener("updatefound", function () {
          registration.installing.addEventListener("statechange", take);
        });
        take();
        registration.update().catch(function () {}); // without a network there is none
      });
    } catch (refused) {} // a frame or a browser without service workers
  }
})();
