"""The loader that a shop puts into its pages (TRACKING 1.1, 1.2). Pure."""

from __future__ import annotations

from perigee.site.javascript import literal

# `_esConfig` is the file's to define: a plugin that finds it reads the visitor id, which the file makes. Calls made before
# the file is there wait in `eS.q`; `es` is the older name of the web push part. A plugin that came first may have defined
# either. `eS('init')` must stand there to the letter: one plugin replaces exactly that.
_LOADER = """<script>
(function (w, d, u) {
  ['eS', 'es'].forEach(function (name) {
    if (!w[name]) {
      w[name] = function () { (w[name].q = w[name].q || []).push(arguments); };
    }
  });
  var s = d.createElement('script');
  s.async = true;
  s.src = u;
  d.head.appendChild(s);
})(window, document, FILE);
eS('init');
</script>
"""


def loader(site_id: str, public_url: str) -> str:
    """HTML. The file is `<public_url>/scripts/<site id>.js`."""
    return _LOADER.replace("FILE", literal(f"{public_url}/scripts/{site_id}.js"))
