"""Reduces a page that a generator built to what surrounds <undertone-demo>.

    reduce.py PAGE OUT

Kept are the elements from the root down to the demo with their attributes, what stands beside
the demo in the text (everything from the level on which the page's heading is), the module
script and <meta>. Left out are the generator's own scripts, styles and drawings, and what is
before and after the text. Fails where the demo, its script or a file that they name is missing.
"""

import pathlib
import re
import sys
import urllib.parse
from html import escape
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
DROPPED = {"svg", "link", "button", "nav", "header", "footer", "aside", "noscript", "input"}
SITE = "https://example.org/undertone/"


class Node:
    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent, self.inside = tag, attributes, parent, []

    def find(self, test):
        if test(self):
            return self
        for child in self.inside:
            if isinstance(child, Node) and (found := child.find(test)):
                return found
        return None

    def named(self, tag):
        return self.find(lambda node: node.tag == tag)


class Reader(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.root = self.open = Node("", [], None)

    def handle_starttag(self, tag, attributes):
        node = Node(tag, attributes, self.open)
        self.open.inside.append(node)
        if tag not in VOID:
            self.open = node

    def handle_endtag(self, tag):
        node = self.open
        while node.parent and node.tag != tag:
            node = node.parent
        if node.parent:  # else a stray end, which is nothing
            self.open = node.parent

    def handle_data(self, data):
        self.open.inside.append(data)


def is_element_script(node):
    return node.tag == "script" and (dict(node.attributes).get("src") or "").endswith("/element.js")


def is_element_style(node):
    return node.tag == "link" and "/undertone" in "/" + (dict(node.attributes).get("href") or "") and dict(node.attributes).get("rel") == "stylesheet"


def write(node, keep):
    if isinstance(node, str):
        return re.sub(r"\s*\n\s*", "\n", escape(node, quote=False)) if keep is None else ""
    if node.tag == "style":
        return f"<style>{''.join(node.inside)}</style>" if "undertone-demo" in "".join(node.inside) else ""
    if node.tag in DROPPED and not node.named("h1") and not is_element_style(node) or node.tag == "script" and not is_element_script(node):
        return ""
    if keep is not None and node not in keep:
        return ""
    attributes = "".join(f" {name}" if value is None else f' {name}="{escape(value)}"' for name, value in node.attributes)
    whole = keep is None or node is keep[-1]
    inside = "".join(write(child, None if whole else keep) for child in node.inside)
    end = "" if node.tag in VOID else f"</{node.tag}>"
    return f"<{node.tag}{attributes}>{inside}{end}" + ("" if keep is None else "\n")


def check_files(page, demo):
    """Fails where an address in the demo leads nowhere: neither to the site nor to a file."""
    top = page.parent
    while not any((top / name).exists() for name in ("sitemap.xml", "index.html", "print.html", "README.md", "guidance.ipynb")) or top.name == "guidance":
        top = top.parent
    image = demo.named("img")
    for address in (dict(demo.attributes).get("poster"), dict(image.attributes)["src"]):
        if address is None or address.startswith(("data:", SITE)):
            continue
        path = urllib.parse.unquote(address)
        file = top / path.lstrip("/") if path.startswith("/") else page.parent / path
        if not file.exists():
            sys.exit(f"{page}: there is no {address}")


def main():
    page, out = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    reader = Reader()
    reader.feed(page.read_text("utf-8"))
    demo = reader.root.named("undertone-demo")
    if demo is None and "readme" not in str(out):
        sys.exit(f"{page} has no <undertone-demo>")
    demo = demo or reader.root.named("img").parent
    check_files(page, demo)
    text = demo.parent
    while text.parent and not text.named("h1"):
        text = text.parent
    keep = [text]
    while keep[0].parent and keep[0].tag:
        keep.insert(0, keep[0].parent)
    head = reader.root.named("head")
    script = reader.root.find(is_element_script)
    if script is None and "readme" not in str(out):
        sys.exit(f"{page} has no script of the element")
    if text.tag:
        body = "".join(write(child, keep) for child in reader.root.inside)
    else:  # a part of a page, which has neither head nor body
        body = "".join(write(child, None) for child in text.inside)
    if script and not keep[-1].find(lambda node: node is script) and not head.find(lambda node: node is script):
        body = body.replace("</body>", write(script, None) + "\n</body>")
    if head:
        kept = [node for node in head.inside if isinstance(node, Node) and (node.tag == "title" or node is script or is_element_style(node) or node.tag == "meta" and {"charset", "name"} & dict(node.attributes).keys() and dict(node.attributes).get("name") in (None, "viewport", "generator"))]
        body = body.replace("<body", "<head>\n" + "".join(write(node, None) + "\n" for node in kept) + "</head>\n<body", 1)
    out.write_text("<!doctype html>\n" + body.strip() + "\n", "utf-8")


if __name__ == "__main__":
    main()
