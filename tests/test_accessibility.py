"""axe-core on every page of the built site, in light, and on every second one in dark, too."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from pages import EXTRA, PAGES

pytestmark = pytest.mark.browser

# What axe finds in the theme and we do not mend: (rule, part of the selector) -> reason.
EXCEPTIONS = {}
# All rules in light; in dark, which changes nothing but colours, those that look at colours.
RULES = {"light": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
         "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


@pytest.mark.parametrize("name, themes", [(name, list(RULES)[:2 - k % 2]) for k, name in enumerate(PAGES + EXTRA)])
def test_axe_finds_nothing_serious_in_light_or_dark(visit, http_base, name, themes):
    page = visit(http_base + name)
    found = []
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
        # A formula's drawing is hidden from a screen reader, which gets its MathML.
        results = Axe().run(page, {"exclude": [[".math svg"]]}, {
            "runOnly": RULES[theme], "resultTypes": ["violations"]})
        found += [f"{theme}: {violation['id']}: {node['target']} {node['failureSummary']}"
                  for violation in results.response["violations"]
                  if violation["impact"] in ("serious", "critical")
                  for node in violation["nodes"]
                  if not any(violation["id"] == rule and part in str(node["target"])
                             for rule, part in EXCEPTIONS)]
    assert found == []
