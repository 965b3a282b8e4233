#!/usr/bin/env bash
# Builds the page of every folder here with the generator that its name says, in the folder
# WORK (build/hosts), and writes what the tests need of it: NAME/page.html. The generators
# come from their registries, in the versions that stand here, in requirements.txt and in
# the two package.json. To build a few only, name them: make.sh sphinx hugo
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${WORK:-$here/../../../build/hosts}
mdbook=0.5.4
mkdir -p "$work"
work=$(cd "$work" && pwd)
py=$work/py/bin
names=("$@")
[ $# -gt 0 ] || names=(mkdocs docusaurus sphinx vitepress hugo mdbook jupyter readme)

if [ ! -x "$py/mkdocs" ]; then
  "${PYTHON:-python3}" -m venv "$work/py"
  "$py/pip" install --quiet --requirement "$here/requirements.txt"
fi

# in_npm NAME: installs what its package.json names.
in_npm() { [ -d node_modules ] || npm install --no-fund --no-audit --loglevel=error; }

for name in "${names[@]}"; do
  echo "== $name"
  site=$work/$name
  mkdir -p "$site"
  cp -r "$here/$name/." "$site"
  cd "$site"
  case $name in
    mkdocs)
      cp "$here"/{frog.png,undertone.css} docs/
      "$py/mkdocs" build --quiet --strict
      page=site/guidance/index.html ;;
    docusaurus)
      cp "$here/frog.png" docs/
      mkdir -p static && cp "$here/undertone.css" static/
      in_npm
      npx docusaurus build >/dev/null
      page=build/guidance/index.html ;;
    sphinx)
      mkdir -p posters static && cp "$here/frog.png" posters/ && cp "$here/undertone.css" static/
      "$py/sphinx-build" -q -W . out
      page=out/guidance.html ;;
    vitepress)
      cp "$here/frog.png" .
      mkdir -p public && cp "$here/undertone.css" public/
      in_npm
      npx vitepress build >/dev/null
      page=.vitepress/dist/guidance.html ;;
    hugo)
      cp "$here/frog.png" content/guidance/
      mkdir -p static && cp "$here/undertone.css" static/
      "$py/hugo" --quiet
      page=public/guidance/index.html ;;
    mdbook)
      cp "$here/frog.png" src/ && cp "$here/undertone.css" .
      if [ ! -x "$work/cargo/bin/mdbook" ]; then
        cargo install --quiet mdbook --version "$mdbook" --no-default-features --root "$work/cargo"
      fi
      "$work/cargo/bin/mdbook" build
      page=book/guidance.html ;;
    jupyter)
      cp "$here"/{frog.png,undertone.css} .
      "$py/jupyter" nbconvert --execute --to html --log-level=ERROR guidance.ipynb
      page=guidance.html ;;
    readme)
      cp "$here/frog.png" .
      "$py/python" -m readme_renderer README.md -o page-of-registry.html
      page=page-of-registry.html ;;
    *) echo "there is no $name here" >&2; exit 2 ;;
  esac
  "$py/python" "$here/reduce.py" "$page" "$here/$name/page.html"
done
