project = "Pictures"
html_js_files = [("https://example.org/undertone/element.js", {"type": "module"})]
html_extra_path = ["posters"]
html_static_path = ["static"]
html_css_files = ["undertone.css"]
